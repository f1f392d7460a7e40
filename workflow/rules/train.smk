# Word vectors of each size that a system needs, and each system trained from each seed.


# Vectors that others trained, if the configuration names them.
WORDS_FILE = settings["word2vec"]["file"] if settings["word2vec"]["kind"] == "pretrained" else []


rule word2vec:
    input:
        code=code("word2vec"),
        tags=layout.file("tags"),
        words=WORDS_FILE,
    output:
        layout.pattern("word2vec"),
    log:
        f"{LOGS}/word2vec/{{dimension}}.log",
    conda:
        "../../envs/tags.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        tagalign=unrecorded(TAGALIGN),
        repaired=lambda wildcards: repairs("word2vec", **wildcards),
        sections=sections("word2vec"),
        places=lambda wildcards, output: places("word2vec"),
    shell:
        "{params.tagalign} word2vec {input.tags:q} --dimension {wildcards.dimension}"
        " --params {params.sections:q} --params {params.places:q} -o {output:q}"
        f"{TEE}"


rule train:
    # Checkpoints are no output: Snakemake deletes the outputs of a job that fails, and a job that
    # is started again goes on where the last one stopped.
    input:
        code=code("train"),
        pairs=layout.file("pairs"),
        word2vec=lambda wildcards: layout.word_vectors(wildcards.system) or [],
        start=settings["train"]["start"] or [],
    output:
        layout.pattern("train"),
    log:
        f"{LOGS}/train/{{system}}/{{seed}}.log",
    conda:
        "../../envs/train.yaml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, input, attempt: int(attempt * (3000 + 3 * input.size_mb)),
        runtime=growing(720),
        gpu=GPUS,
    params:
        tagalign=unrecorded(TAGALIGN),
        repaired=lambda wildcards: repairs("train", **wildcards),
        sections=sections("model", "train"),
        word2vec=lambda wildcards, input: f"--word2vec {input.word2vec}" if input.word2vec else "",
        start=lambda wildcards, input: (
            f"--start {shlex.quote(str(input.start))}" if input.start else ""
        ),
        device=unrecorded(DEVICE),
        checkpoint=lambda wildcards, output: parameters.checkpoint_directory(
            layout.results, settings, wildcards.system, wildcards.seed
        ),
        minutes=unrecorded(settings["compute"]["checkpoint_minutes"]),
        # What a training tells of itself beside its model; nothing depends on it.
        records=lambda wildcards, output: layout.training(wildcards.system, wildcards.seed),
        tensorboard=lambda wildcards, output: (
            f"--tensorboard {layout.training(wildcards.system, wildcards.seed)}"
            if settings["compute"]["tensorboard"]
            else ""
        ),
    shell:
        "{params.tagalign} train {input.pairs:q} {params.word2vec} {params.start}"
        " --system {wildcards.system} --seed {wildcards.seed} --params {params.sections:q}"
        " --device {params.device}"
        " --checkpoint {params.checkpoint:q} --checkpoint-minutes {params.minutes}"
        " --history {params.records:q}/history.jsonl {params.tensorboard} -o {output:q}"
        f"{TEE}"


rule figures:
    # What a model shows: curves, reconstructions, nearest tags. No other stage reads them.
    input:
        code=code("figures"),
        model=layout.pattern("train"),
        pairs=layout.file("pairs"),
    output:
        directory(f"{layout.training('{system}', '{seed}')}/figures"),
    log:
        f"{LOGS}/figures/{{system}}/{{seed}}.log",
    conda:
        "../../envs/train.yaml"
    resources:
        mem_mb=lambda wildcards, input, attempt: int(attempt * (2000 + 2 * input.size_mb)),
        runtime=growing(30),
    params:
        tagalign=unrecorded(TAGALIGN),
    shell:
        "{params.tagalign} figures {input.model:q} {input.pairs:q} --directory {output:q}" f"{TEE}"
