"""The released networks once more, written down from the authors' code: names, shapes, formulas.

State dicts of random values stand in for the released files that cannot be had offline, and a
direct float64 implementation of each part says what the released code computes from them.
"""

import numpy as np
import torch
from torch.nn import functional

CONVOLUTIONS = [0, 4, 8, 12, 16]  # positions in their Sequential; batch norm comes next
DECONVOLUTIONS = [2, 6, 10, 14, 17]


def _norm(name, size):
    return {
        f"{name}.weight": (size,),
        f"{name}.bias": (size,),
        f"{name}.running_mean": (size,),
        f"{name}.running_var": (size,),
        f"{name}.num_batches_tracked": (),
    }


def _linear(name, inputs, outputs):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def shapes(system):
    """Part -> name -> shape, as in the release, for a system of the paper."""
    width = 1152 if system.startswith("coala") or "1152" in system else 128
    encoder, decoder = {}, {}
    for number in CONVOLUTIONS:
        channels = 128 if number else 1
        encoder |= {f"audio_encoder.{number}.weight": (128, channels, 4, 4)}
        encoder |= {f"audio_encoder.{number}.bias": (128,)}
        encoder |= _norm(f"audio_encoder.{number + 1}", 128)
    for number in DECONVOLUTIONS:
        channels = 1 if number == 17 else 128
        decoder |= {f"audio_decoder.{number}.weight": (128, channels, 4, 4)}
        decoder |= {f"audio_decoder.{number}.bias": (channels,)}
        decoder |= _norm(f"audio_decoder.{number + 1}", channels)
    encoder |= {"fc_audio.0.weight": (width, 1152)}
    if not system.startswith("coala"):
        encoder |= {"audio_encoder.21.weight": (1152,), "audio_encoder.21.bias": (1152,)}
    norm = {"layer_norm.weight": (width,), "layer_norm.bias": (width,)}
    words = {"embeddings.weight": (1001, width)}
    if system.startswith("coala"):
        tags = {"fc_tag.0.weight": (1152, 1152)}
        for number, inputs, outputs in ((0, 1000, 512), (4, 512, 512), (8, 512, 1152)):
            tags |= _linear(f"tag_encoder.{number}", inputs, outputs)
            tags |= _norm(f"tag_encoder.{number + 1}", outputs)
    elif system.endswith("mean"):
        tags = words | {"fc.weight": (width, width)} | norm
    else:
        inner = width * int(system[-2])
        tags = words | {f"w_{part}s.weight": (inner, width) for part in "qkv"}
        tags |= {"fc.weight": (width, inner)} | norm
    back = {}
    for number, inputs, outputs in ((0, width, 512), (4, 512, 512), (7, 512, 1000)):
        back |= _linear(f"tag_decoder.{number}", inputs, outputs)
        back |= _norm(f"tag_decoder.{number + 1}", outputs)
    parts = {"audio_encoder": encoder, "audio_decoder": decoder}
    return parts | {"tag_encoder": tags, "tag_decoder": back}


def random_states(system, seed=0):
    """State dicts of a system with random values."""
    rng = np.random.default_rng(seed)
    states = {}
    for part, arrays in shapes(system).items():
        states[part] = {}
        for name, shape in arrays.items():
            if name.endswith("num_batches_tracked"):
                value = torch.tensor(7)
            elif name.endswith("running_var"):
                value = torch.tensor(rng.uniform(0.5, 2, shape), dtype=torch.float32)
            else:
                fan = np.prod(shape[1:]) if len(shape) > 1 else 1
                value = torch.tensor(rng.normal(0, 1 / np.sqrt(fan), shape), dtype=torch.float32)
            states[part][name] = value
        if "embeddings.weight" in states[part]:
            states[part]["embeddings.weight"][0] = 0
    return states


def write(directory, states, parts=None, epoch=200):
    """Save parts under the released file names."""
    directory.mkdir(parents=True, exist_ok=True)
    for part in parts or states:
        coala = "embeddings.weight" not in states.get("tag_encoder", {})
        name = part if part != "tag_encoder" or coala else "tag_encoder_att"
        torch.save(states[part], directory / f"{name}_epoch_{epoch}.pt")
    return directory


def _arrays(state):
    return {name: value.double() for name, value in state.items()}


def _batch_norm(x, s, name):
    """Evaluation mode; x has its channels in dimension 1."""
    shape = [1, -1] + [1] * (x.ndim - 2)
    mean, var = (s[f"{name}.running_{part}"].reshape(shape) for part in ("mean", "var"))
    weight, bias = (s[f"{name}.{part}"].reshape(shape) for part in ("weight", "bias"))
    return (x - mean) / (var + 1e-5).sqrt() * weight + bias


def _layer_norm(x, weight, bias):
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 1e-6).sqrt() * weight + bias


def audio_encoder(state, scaled):
    """Scaled patches (n, 96, 96) -> (z, fc_audio(z)), as `AudioEncoder.forward`."""
    s = _arrays(state)
    x = torch.as_tensor(scaled).double()[:, None]
    for number in CONVOLUTIONS:
        name = f"audio_encoder.{number}"
        x = functional.conv2d(x, s[f"{name}.weight"], s[f"{name}.bias"], stride=2, padding=1)
        x = _batch_norm(x, s, f"audio_encoder.{number + 1}").clamp(min=0)
    z = x.reshape(len(x), -1)
    if "audio_encoder.21.weight" in s:
        z = _layer_norm(z, s["audio_encoder.21.weight"], s["audio_encoder.21.bias"])
    return z.numpy(), (z @ s["fc_audio.0.weight"].T).numpy()


def audio_decoder(state, z):
    """Embeddings (n, 1152) -> reconstruction (n, 96, 96)."""
    s = _arrays(state)
    x = torch.as_tensor(z).double().reshape(-1, 128, 3, 3)
    for number in DECONVOLUTIONS:
        name = f"audio_decoder.{number}"
        weight, bias = s[f"{name}.weight"], s[f"{name}.bias"]
        x = functional.conv_transpose2d(x, weight, bias, stride=2, padding=1)
        x = _batch_norm(x, s, f"audio_decoder.{number + 1}")
        if number != 17:
            x = x.clamp(min=0)
    return (1 / (1 + torch.exp(-x)))[:, 0].numpy()


def attention(state, tag_ids, heads, *, padded="summed", places=10):
    """One set of tag ids 0..999 -> phi_w, in float64 numpy, query by query.

    The released code fills the set up to ten places with zero vectors. Their keys are masked, but
    their queries are summed like all others (``padded="summed"``).
    """
    s = {name: value.double().numpy() for name, value in state.items()}
    ids = ([number + 1 for number in tag_ids] + places * [0])[:places]
    words = s["embeddings.weight"][ids]
    width = words.shape[1]
    total = np.zeros(width)
    for row, query_id in enumerate(ids):
        if padded == "masked" and query_id == 0:
            continue
        joined = []
        for head in range(heads):
            part = slice(head * width, (head + 1) * width)
            query = s["w_qs.weight"][part] @ words[row]
            scores, values = [], []
            for column, key_id in enumerate(ids):
                if key_id:
                    scores.append(query @ (s["w_ks.weight"][part] @ words[column]) / width**0.5)
                    values.append(s["w_vs.weight"][part] @ words[column])
            weights = np.exp(np.array(scores) - max(scores))
            joined.append(weights @ np.array(values) / weights.sum())
        total += s["fc.weight"] @ np.concatenate(joined)
    return _normalised(total, s)


def mean(state, tag_ids):
    """One set of tag ids -> phi_w of the mean systems: map, mean, layer norm."""
    s = {name: value.double().numpy() for name, value in state.items()}
    words = s["embeddings.weight"][[number + 1 for number in tag_ids][:10]]
    return _normalised((words @ s["fc.weight"].T).mean(0), s)


def _normalised(x, s):
    centred = x - x.mean()
    scaled = centred / np.sqrt((centred**2).mean() + 1e-6)
    return scaled * s["layer_norm.weight"] + s["layer_norm.bias"]


def multi_hot(state, tag_ids):
    """One set of tag ids -> COALA's fc_tag(z)."""
    s = _arrays(state)
    x = torch.zeros(1, 1000, dtype=torch.float64)
    x[0, tag_ids] = 1
    for number in (0, 4, 8):
        name = f"tag_encoder.{number}"
        x = x @ s[f"{name}.weight"].T + s[f"{name}.bias"]
        x = _batch_norm(x, s, f"tag_encoder.{number + 1}").clamp(min=0)
    return (x @ s["fc_tag.0.weight"].T)[0].numpy()


def tag_decoder(state, z):
    """Codes (n, width) -> probabilities of the tags (n, 1000)."""
    s = _arrays(state)
    x = torch.as_tensor(z).double()
    for number in (0, 4, 7):
        x = x @ s[f"tag_decoder.{number}.weight"].T + s[f"tag_decoder.{number}.bias"]
        x = _batch_norm(x, s, f"tag_decoder.{number + 1}")
        if number != 7:
            x = x.clamp(min=0)
    return (1 / (1 + torch.exp(-x))).numpy()
