# Table, figures and the configuration that was used.


rule configuration:
    # The whole configuration with its defaults: `snakemake --configfile` takes it back.
    output:
        report(
            f"{layout.results}/config.yaml",
            caption="../report/config.rst",
            category="Configuration",
        ),
    log:
        f"{LOGS}/configuration.log",
    localrule: True
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=growing(500),
        runtime=growing(5),
    params:
        text=yaml.safe_dump(settings, sort_keys=False, allow_unicode=True),
    shell:
        'mkdir -p "$(dirname {output:q})" "$(dirname {log:q})"; '
        "(printf '%s' {params.text:q} > {output:q}) 2> {log:q}"


rule report:
    input:
        code=code("report"),
        scores=layout.files("evaluate"),
        retrieval=layout.files("retrieve"),
        zeroshot=layout.files("zeroshot"),
        models=layout.files("train"),
        counted=counted_files,
    output:
        report(
            f"{layout.results}/table.csv",
            caption="../report/table.rst",
            category="Results",
        ),
        report(
            [f"{layout.results}/figures/{name}.png" for name in layout.figures()],
            caption="../report/figure.rst",
            category="Figures",
        ),
        report(
            f"{layout.results}/report.html",
            caption="../report/page.rst",
            category="Results",
        ),
        [
            f"{layout.results}/figures/{name}.{kind}"
            for name in layout.figures()
            for kind in ("svg", "pdf")
        ],
        multiext(
            f"{layout.results}/",
            "table.md",
            "report.md",
            "scores.csv",
            "contrasts.csv",
            "comparisons.csv",
            "losses.csv",
            "retrieval.csv",
            "zeroshot.csv",
        ),
    log:
        f"{LOGS}/report.log",
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        tagalign=unrecorded(TAGALIGN),
        sections=sections("report"),
        models=lambda wildcards, input: repeated("--model", input.models),
        counted=lambda wildcards, input: repeated("--count", input.counted),
        title=settings["run"],
        directory=lambda wildcards, output: os.path.dirname(output[0]),
    shell:
        'mkdir -p "$(dirname {log:q})"; '
        "{params.tagalign} report {input.scores:q} {input.retrieval:q} {input.zeroshot:q} {params.models} {params.counted}"
        " --title {params.title:q} --params {params.sections:q} --directory {params.directory:q}"
        " > {log:q} 2>&1"
