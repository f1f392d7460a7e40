# The evaluation data sets, and the embeddings of their clips by each model.


rule dataset:
    # Downloads go to data/datasets and are not fetched again; the output lists the clips.
    input:
        code=code("dataset"),
    output:
        f"{RESULTS}/datasets/{{task}}.h5",
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
        sections=lambda wildcards: sections(f"datasets.{wildcards.task}"),
        files=lambda wildcards: DATASET_FILES[wildcards.task],
        clips=lambda wildcards: task_contents(wildcards.task),
        places=lambda wildcards, output: places(f"datasets.{wildcards.task}"),
    shell:
        "{params.tagalign} dataset --task {wildcards.task}"
        " --params {params.sections:q} --params {params.places:q} --data data/datasets"
        " -o {output:q}"
        f"{TEE}"


rule task:
    input:
        code=code("task"),
        dataset=f"{RESULTS}/datasets/{{task}}.h5",
    output:
        f"{RESULTS}/tasks/{{task}}.h5",
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
        sections=lambda wildcards: sections(f"datasets.{wildcards.task}", "patches", "frames"),
        places=lambda wildcards, output: places(f"datasets.{wildcards.task}"),
    shell:
        "{params.tagalign} task --task {wildcards.task} --dataset {input.dataset:q}"
        " --params {params.sections:q} --params {params.places:q} --data data/datasets"
        " --jobs {threads} -o {output:q}"
        f"{TEE}"


rule embed:
    input:
        code=code("embed-task"),
        task=f"{RESULTS}/tasks/{{task}}.h5",
        model=model_file,
    output:
        f"{RESULTS}/embeddings/{{system}}/{{seed}}/{{task}}.h5",
    log:
        f"{LOGS}/embed/{{system}}/{{seed}}/{{task}}.log",
    conda:
        "../../envs/train.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
        gpu=lambda wildcards: 0 if wildcards.system == "mfcc" else GPUS,
    params:
        tagalign=unrecorded(TAGALIGN),
        encoder=lambda wildcards, input: f"--model {input.model}" if input.model else "--mfcc",
        device=unrecorded(DEVICE),
    shell:
        "{params.tagalign} embed-task {input.task:q} {params.encoder} --device {params.device}"
        " -o {output:q}"
        f"{TEE}"
