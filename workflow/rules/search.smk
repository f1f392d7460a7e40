# What the aligned space is for: searching the validation pairs, and classifying by tags alone.


rule retrieve:
    input:
        code=code("retrieve"),
        model=layout.pattern("train"),
        pairs=layout.file("pairs"),
    output:
        layout.pattern("retrieve"),
    log:
        f"{LOGS}/retrieve/{{system}}/{{seed}}.log",
    conda:
        "../../envs/train.yaml"
    resources:
        mem_mb=lambda wildcards, input, attempt: int(attempt * (3000 + 2 * input.size_mb)),
        runtime=growing(60),
        gpu=GPUS,
    params:
        tagalign=unrecorded(TAGALIGN),
        repaired=lambda wildcards: repairs("retrieve", **wildcards),
        device=unrecorded(DEVICE),
    shell:
        "{params.tagalign} retrieve {input.model:q} {input.pairs:q}"
        " --pretraining-seed {wildcards.seed} --device {params.device} -o {output:q}"
        f"{TEE}"


rule zeroshot:
    input:
        code=code("zeroshot"),
        task=layout.pattern("task"),
        embeddings=layout.pattern("embed_task"),
        model=layout.pattern("train"),
        leaks=ancient(layout.pattern("leaks")),
    output:
        layout.pattern("zeroshot"),
    log:
        f"{LOGS}/zeroshot/{{system}}/{{seed}}/{{task}}.log",
    conda:
        "../../envs/train.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        tagalign=unrecorded(TAGALIGN),
        repaired=lambda wildcards: repairs("zeroshot", **wildcards),
        sections=lambda wildcards: sections(
            f"datasets.{wildcards.task}", "evaluate", without=["allow_leaks"]
        ),
        places=lambda wildcards, output: places(f"datasets.{wildcards.task}"),
    shell:
        "{params.tagalign} zeroshot {input.task:q} {input.embeddings:q} {input.model:q}"
        " --task {wildcards.task} --pretraining-seed {wildcards.seed}"
        " --params {params.sections:q} --params {params.places:q} -o {output:q}"
        f"{TEE}"
