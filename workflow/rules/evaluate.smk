# A classifier on the embeddings of each task.
SCORES_ON_GPU = GPUS > 0 and settings["evaluate"]["engine"] == "torch"


rule leaks:
    # Fails before anything is scored where pretraining has seen a test sound.
    input:
        code=code("leaks"),
        task=layout.pattern("task"),
        pretraining=[layout.file("tags"), layout.file("pairs")],
        dataset=layout.pattern("dataset"),
        # Only files have a checksum.
        catalogue=layout.file("catalogue") if GIVES == "files" else [],
    output:
        layout.pattern("leaks"),
    log:
        f"{LOGS}/leaks/{{task}}.log",
    priority: 10
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        tagalign=unrecorded(TAGALIGN),
        repaired=lambda wildcards: repairs("leaks", **wildcards),
        sections=json.dumps({"evaluate": {"allow_leaks": settings["evaluate"]["allow_leaks"]}}),
    shell:
        "{params.tagalign} leaks {input.task:q} {input.pretraining:q}"
        " --dataset {input.dataset:q}"
        f"{' --catalogue {input.catalogue:q}' if GIVES == 'files' else ''}"
        " --params {params.sections:q} -o {output:q}"
        f"{TEE}"


rule evaluate:
    input:
        code=code("evaluate"),
        task=layout.pattern("task"),
        embeddings=layout.pattern("embed_task"),
        leaks=ancient(layout.pattern("leaks")),
    output:
        layout.pattern("evaluate"),
    log:
        f"{LOGS}/evaluate/{{system}}/{{seed}}/{{task}}.log",
    # Only where jobs are submitted, since groups cost a second of each dry run. A group adds up what
    # its jobs ask for: those on a GPU would want as many GPUs of one machine.
    group:
        "scores" if workflow.resource_settings.nodes and not SCORES_ON_GPU else None
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
        gpu=int(SCORES_ON_GPU),
    params:
        tagalign=unrecorded(TAGALIGN),
        repaired=lambda wildcards: repairs("evaluate", **wildcards),
        sections=sections("evaluate", without=["allow_leaks"]),
        device=unrecorded(DEVICE),
    shell:
        "{params.tagalign} evaluate {input.task:q} {input.embeddings:q}"
        " --system {wildcards.system} --pretraining-seed {wildcards.seed} --device {params.device}"
        " --params {params.sections:q} --jobs {threads} -o {output:q}"
        f"{TEE}"
