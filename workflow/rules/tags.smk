# The vocabulary.


rule tags:
    input:
        code=code("tags"),
        catalogue=layout.file("catalogue"),
    output:
        layout.file("tags"),
    log:
        f"{LOGS}/tags.log",
    conda:
        "../../envs/tags.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        tagalign=unrecorded(TAGALIGN),
        repaired=lambda wildcards: repairs("tags", **wildcards),
        sections=sections("tags"),
    shell:
        "{params.tagalign} tags {input.catalogue:q} --params {params.sections:q} -o {output:q}"
        f"{TEE}"
