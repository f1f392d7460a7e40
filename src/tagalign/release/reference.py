"""What the authors' released code did, where it differs from the paper."""

REFERENCE = {
    "patches": {
        "sample_rate": 22000,
        "resampler": "kaiser_fast",
        "window": "hann",
        "power": 1,
        "edge_padding": "reflect",
        "pad_to_seconds": 10,
        "noise": 5e-4,
        "silent": "keep",
        "criterion": "log_mel",
        "step": 12,
    },
    "tags": {
        "lemmatizer": "inflect",
        "drop_no_value": False,
        "letters_only": True,
        "minimum_length": 2,
        "minimum_count": 10,
        "exact_vocabulary": True,
        "vocabulary_order": "appearance",
    },
    "model": {
        "last_dropout": 0,
        "projection_dropout": 0.25,
        "layer_norm_eps": 1e-6,
        "attention_dropout": 0.1,
        "padded_queries": "summed",
        "idle_tag_decoder": True,
    },
}
"""Section -> keys with their values in the released code."""
