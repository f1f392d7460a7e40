# One log-mel patch per sound, shard by shard, and the training file.


rule patches:
    input:
        code=code("patches"),
        shard=layout.pattern("shard"),
        audio=layout.pattern("audio") if GIVES == "previews" else [],
    output:
        layout.pattern("patches"),
    log:
        f"{LOGS}/patches/{{shard}}.log",
    conda:
        "../../envs/audio.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        tagalign=unrecorded(TAGALIGN),
        repaired=lambda wildcards: repairs("patches", **wildcards),
        sections=sections("patches"),
        # Its file of audio, or the folder of the source.
        sounds=lambda wildcards, input: (
            f"--audio {input.audio}"
            if input.audio
            else f"--folder {shlex.quote(str(settings['source'][SOURCE]['audio']))}"
        ),
    shell:
        "{params.tagalign} patches {input.shard:q} --shard {wildcards.shard} {params.sounds}"
        " --params {params.sections:q} --jobs {threads} -o {output:q}"
        f"{TEE}"


rule pairs:
    input:
        code=code("pairs"),
        tags=layout.file("tags"),
        patches=patch_files,
    output:
        layout.file("pairs"),
    log:
        f"{LOGS}/pairs.log",
    conda:
        "../../envs/tags.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        tagalign=unrecorded(TAGALIGN),
        repaired=lambda wildcards: repairs("pairs", **wildcards),
        sections=sections("pairs"),
        files=checked(parameters.contents, settings["pairs"]["validation_ids"]),
        places=unrecorded(places("pairs")),
    shell:
        "{params.tagalign} pairs {input.tags:q} {input.patches:q}"
        " --params {params.sections:q} --params {params.places:q} -o {output:q}"
        f"{TEE}"
