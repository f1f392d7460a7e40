# From the source of sounds to the catalogue and, for Freesound, to shards of encoded audio.


checkpoint catalogue:
    input:
        code=code("catalogue", SOURCE),
    output:
        catalogue=layout.file("catalogue"),
        shards=directory(f"{layout.data}/shards"),
    log:
        f"{LOGS}/catalogue.log",
    conda:
        "../../envs/audio.yaml"
    resources:
        mem_mb=growing(2000),
        # The limit of requests per day makes a full walk through Freesound last a day.
        runtime=growing(2880 if GIVES == "previews" else 60),
    params:
        tagalign=unrecorded(TAGALIGN),
        repaired=lambda wildcards: repairs("catalogue", **wildcards),
        sections=sections("source", without=OTHER_SOURCES),
        files=checked(
            parameters.contents,
            *parameters.named_files(settings, f"source.{SOURCE}"),
            *settings["source"]["exclude"],
        ),
        # A function, so that only who plans this job looks at thousands of sounds.
        sounds=lambda wildcards: sound_contents(layout),
        places=unrecorded(places("source")),
        journal=unrecorded(f"{layout.data}/journal"),
    shell:
        "{params.tagalign} catalogue --params {params.sections:q} --params {params.places:q}"
        " --journal {params.journal:q} --shards {output.shards:q} -o {output.catalogue:q}"
        f"{TEE}"


rule audio:
    input:
        code=code("audio"),
        shard=layout.pattern("shard"),
    output:
        layout.pattern("audio") if layout.keeps_audio else temp(layout.pattern("audio")),
    log:
        f"{LOGS}/audio/{{shard}}.log",
    conda:
        "../../envs/audio.yaml"
    resources:
        mem_mb=growing(1000),
        runtime=growing(120),
        downloads=1,
    params:
        tagalign=unrecorded(TAGALIGN),
        repaired=lambda wildcards: repairs("audio", **wildcards),
        # What is fetched stands in the shard file; the rest is rates and limits.
        settings=unrecorded(json.dumps({"source": settings["source"]}, sort_keys=True)),
        # Snakemake deletes an output before it is made again; the journal keeps the sounds, so
        # that editing the client downloads nothing again.
        journal=unrecorded(f"{layout.data}/journal"),
    shell:
        "{params.tagalign} audio {input.shard:q} --shard {wildcards.shard}"
        " --params {params.settings:q} --journal {params.journal:q} -o {output:q}"
        f"{TEE}"


rule attribution:
    input:
        code=code("attribution"),
        catalogue=layout.file("catalogue"),
        shards=audio_files if layout.keeps_audio else patch_files,
    output:
        f"{layout.results}/attribution.csv",
    log:
        f"{LOGS}/attribution.log",
    conda:
        "../../envs/audio.yaml"
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        tagalign=unrecorded(TAGALIGN),
    shell:
        "{params.tagalign} attribution {input.catalogue:q} {input.shards:q} -o {output:q}" f"{TEE}"
