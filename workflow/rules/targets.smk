# The name of a stage as a target: `snakemake train` brings all models up to date.
FILES_OF_STAGE = {
    "word2vec": [f"{RESULTS}/word2vec/{width}.h5" for width in WIDTHS],
    "train": MODELS,
    "dataset": [f"{RESULTS}/datasets/{task}.h5" for task in TASKS],
    "task": [f"{RESULTS}/tasks/{task}.h5" for task in TASKS],
    "embed": stage_files("embeddings"),
    "evaluate": stage_files("scores"),
}

if SOURCE == "coala":
    FILES_OF_STAGE |= {"tags": rules.coala.output.tags, "pairs": rules.coala.output.pairs}
else:
    FILES_OF_STAGE |= {"audio": audio_files, "patches": patch_files}

for stage, files in FILES_OF_STAGE.items():

    rule:
        name:
            f"all_{stage}"
        input:
            files,


def with_stages_as_targets(prepare_dag, rename):
    """Let a stage's name as a target mean its rule `all_...` above.

    Snakemake refuses a rule with wildcards as a target, while -R, --until and --omit-from need
    the very name of the rule that does the work; so the target is replaced before the graph is
    built, and one name serves everywhere.
    """
    targets = {rename(stage): rename(f"all_{stage}") for stage in FILES_OF_STAGE}

    def prepare(*arguments, **options):
        chosen = workflow.dag_settings.targets
        workflow.dag_settings.targets = [targets.get(name, name) for name in chosen]
        return prepare_dag(*arguments, **options)

    return prepare


def with_announcement(build_dag):
    """Announce the run, once it is known whether there is anything to do.

    A handler `onstart` would be too late: it is called after environments are made, and not in a
    dry run.
    """

    def build():
        build_dag()
        # Commands such as --summary and --unlock have nothing that executes jobs.
        if workflow.is_main_process and workflow.executor_plugin:
            announce()
            if not workflow.dryrun:
                checked(note_places)

    return build


workflow._prepare_dag = with_stages_as_targets(
    workflow._prepare_dag, workflow.modifier.modify_rulename
)
workflow._build_dag = with_announcement(workflow._build_dag)
