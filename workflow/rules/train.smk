# Word vectors of each size that a system needs, and each system trained from each seed.


rule word2vec:
    input:
        code=code("word2vec"),
        tags=f"{RESULTS}/tags.h5",
    output:
        f"{RESULTS}/word2vec/{{dimension}}.h5",
    log:
        f"{LOGS}/word2vec/{{dimension}}.log",
    conda:
        "../../envs/tags.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        tagalign=unrecorded(TAGALIGN),
        sections=sections("word2vec"),
    shell:
        "{params.tagalign} word2vec {input.tags:q} --dimension {wildcards.dimension}"
        " --params {params.sections:q} -o {output:q}"
        f"{TEE}"


rule train:
    # Checkpoints are no output: Snakemake deletes the outputs of a job that fails, and a job that
    # is started again goes on where the last one stopped.
    input:
        code=code("train"),
        pairs=f"{RESULTS}/pairs.h5",
        word2vec=word_vectors,
    output:
        f"{RESULTS}/models/{{system}}/{{seed}}.h5",
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
        sections=sections("model", "train"),
        word2vec=lambda wildcards, input: f"--word2vec {input.word2vec}" if input.word2vec else "",
        device=unrecorded(DEVICE),
        checkpoint=lambda wildcards, output: checkpoint_directory(wildcards),
        records=lambda wildcards, output: training_records(wildcards),
    shell:
        "{params.tagalign} train {input.pairs:q} {params.word2vec}"
        " --system {wildcards.system} --seed {wildcards.seed} --params {params.sections:q}"
        " --device {params.device}"
        " --checkpoint {params.checkpoint:q}"
        " {params.records} -o {output:q}"
        f"{TEE}"
