# The vocabulary, and word vectors of each size that a system needs.


rule tags:
    input:
        code=code("tags"),
        catalogue=f"{DATA}/catalogue.h5",
    output:
        f"{RESULTS}/tags.h5",
    log:
        f"{LOGS}/tags.log",
    conda:
        "../../envs/tags.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        tagalign=unrecorded(TAGALIGN),
        sections=sections("tags"),
    shell:
        "{params.tagalign} tags {input.catalogue:q} --params {params.sections:q} -o {output:q}"
        " 2>&1 | tee -i {log:q}"


rule word2vec:
    input:
        code=code("word2vec"),
        tags=f"{RESULTS}/tags.h5",
    output:
        f"{RESULTS}/word2vec/{{dimension}}.h5",
    log:
        f"{LOGS}/word2vec/{{dimension}}.log",
    conda:
        "../../envs/tags.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        tagalign=unrecorded(TAGALIGN),
        sections=sections("word2vec"),
    shell:
        "{params.tagalign} word2vec {input.tags:q} --dimension {wildcards.dimension}"
        " --params {params.sections:q} -o {output:q}"
        " 2>&1 | tee -i {log:q}"
