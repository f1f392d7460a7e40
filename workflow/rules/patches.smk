# One log-mel patch per sound, shard by shard.


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
        " 2>&1 | tee -i {log:q}"
