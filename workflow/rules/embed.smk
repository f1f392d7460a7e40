# The evaluation data sets, and the embeddings of their clips by each model.
DATASET_FILES = {
    task: checked(parameters.contents, *parameters.named_files(settings, f"datasets.{task}"))
    for task in layout.tasks
}


rule dataset:
    # Downloads go to data/datasets and are not fetched again; the output lists the clips.
    input:
        code=lambda wildcards: code("dataset", wildcards.task),
    output:
        layout.pattern("dataset"),
    log:
        f"{LOGS}/dataset/{{task}}.log",
    conda:
        "../../envs/audio.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(480),
        downloads=1,
    params:
        tagalign=unrecorded(TAGALIGN),
        repaired=lambda wildcards: repairs("dataset", **wildcards),
        sections=lambda wildcards: sections(f"datasets.{wildcards.task}", without=["class_tags"]),
        files=lambda wildcards: DATASET_FILES[wildcards.task],
        clips=lambda wildcards: task_contents(layout, wildcards.task),
        places=lambda wildcards, output: places(f"datasets.{wildcards.task}"),
    shell:
        "{params.tagalign} dataset --task {wildcards.task}"
        " --params {params.sections:q} --params {params.places:q} --data data/datasets"
        " -o {output:q}"
        f"{TEE}"


rule task:
    input:
        code=lambda wildcards: code("task", wildcards.task),
        dataset=layout.pattern("dataset"),
    output:
        layout.pattern("task"),
    log:
        f"{LOGS}/task/{{task}}.log",
    conda:
        "../../envs/audio.yaml"
    threads: 4
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        tagalign=unrecorded(TAGALIGN),
        repaired=lambda wildcards: repairs("task", **wildcards),
        sections=lambda wildcards: sections(
            f"datasets.{wildcards.task}", "patches", "clips", without=["class_tags"]
        ),
        places=lambda wildcards, output: places(f"datasets.{wildcards.task}"),
    shell:
        "{params.tagalign} task --task {wildcards.task} --dataset {input.dataset:q}"
        " --params {params.sections:q} --params {params.places:q} --data data/datasets"
        " --jobs {threads} -o {output:q}"
        f"{TEE}"


rule embed_task:
    input:
        code=code("embed_task"),
        task=layout.pattern("task"),
        model=lambda wildcards: layout.model(wildcards.system, wildcards.seed) or [],
    output:
        layout.pattern("embed_task"),
    log:
        f"{LOGS}/embed_task/{{system}}/{{seed}}/{{task}}.log",
    conda:
        "../../envs/train.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
        gpu=lambda wildcards: 0 if wildcards.system == "mfcc" else GPUS,
    params:
        tagalign=unrecorded(TAGALIGN),
        repaired=lambda wildcards: repairs("embed_task", **wildcards),
        encoder=lambda wildcards, input: f"--model {input.model}" if input.model else "--mfcc",
        device=unrecorded(DEVICE),
    shell:
        "{params.tagalign} embed-task {input.task:q} {params.encoder} --device {params.device}"
        " -o {output:q}"
        f"{TEE}"
