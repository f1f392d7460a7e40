# The training file, and each system trained from each seed.


rule pairs:
    input:
        code=code("pairs"),
        tags=f"{RESULTS}/tags.h5",
        patches=patch_files,
    output:
        f"{RESULTS}/pairs.h5",
    log:
        f"{LOGS}/pairs.log",
    conda:
        "../../envs/tags.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        tagalign=unrecorded(TAGALIGN),
        sections=sections("pairs"),
        files=contents(settings["pairs"]["validation_ids"]),
        places=unrecorded(places("pairs")),
    shell:
        "{params.tagalign} pairs {input.tags:q} {input.patches:q}"
        " --params {params.sections:q} --params {params.places:q} -o {output:q}"
        " 2>&1 | tee -i {log:q}"


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
        # tee outlives a signal, so that the log has what the trainer says when it is stopped.
        "{params.tagalign} train {input.pairs:q} {params.word2vec}"
        " --system {wildcards.system} --seed {wildcards.seed} --params {params.sections:q}"
        " --device {params.device}"
        " --checkpoint {params.checkpoint:q}"
        " {params.records} -o {output:q} 2>&1 | (trap '' TERM INT; exec tee {log:q})"
