# The authors' published patches and tags in the place of the first stages, from the catalogue to
# the training file.


# What belongs to stages that do not run.
UNREAD = OTHER_SOURCES | {"source.shard_size", "pairs.seed"}
UNREAD |= {"pairs.split", "pairs.validation_share", "pairs.validation_ids"}


rule coala:
    input:
        code=code("coala"),
    output:
        pairs=layout.file("pairs"),
        tags=layout.file("tags"),
    log:
        f"{LOGS}/coala.log",
    conda:
        "../../envs/audio.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(720),
        downloads=1,
    params:
        tagalign=unrecorded(TAGALIGN),
        repaired=lambda wildcards: [repairs("pairs"), repairs("tags")],
        sections=sections("source", "patches", "pairs", without=UNREAD),
        files=checked(parameters.contents, *settings["source"]["exclude"]),
        published=lambda wildcards: published_contents(layout),
        places=unrecorded(places("source", "pairs")),
        directory=unrecorded(layout.data),
    shell:
        "{params.tagalign} coala --params {params.sections:q} --params {params.places:q}"
        " --directory {params.directory:q} --tags {output.tags:q} -o {output.pairs:q}"
        f"{TEE}"
