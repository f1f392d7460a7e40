# One log-mel patch per sound, shard by shard, and the training file.


rule patches:
    input:
        code=code("patches"),
        shard=f"{DATA}/shards/{{shard}}.h5",
        audio=f"{DATA}/audio/{{shard}}.h5" if SOURCE == "freesound" else [],
    output:
        f"{RESULTS}/patches/{{shard}}.h5",
    log:
        f"{LOGS}/patches/{{shard}}.log",
    conda:
        "../../envs/audio.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        tagalign=unrecorded(TAGALIGN),
        sections=sections("patches"),
        sounds=sounds,
    shell:
        "{params.tagalign} patches {input.shard:q} --shard {wildcards.shard} {params.sounds}"
        " --params {params.sections:q} --jobs {threads} -o {output:q}"
        f"{TEE}"


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
        f"{TEE}"
