"""Verb `leaks`: make sure that pretraining has not seen a sound on which it is tested."""

import click

from tagalign.cli.options import FILE, config_options, output_option


@click.command()
@click.argument("task", type=FILE)
@click.argument("pretraining", nargs=-1, required=True, type=FILE)
@output_option("The file to write (HDF5).")
@config_options("evaluate")
def command(task, pretraining, output, sections):
    """Make sure that pretraining has not seen a sound on which it is tested.

    Compares the Freesound ids of the tested clips of TASK (stage task) with those of the
    PRETRAINING sounds (files of stage tags or pairs). A sound in both is an error, unless
    evaluate.allow_leaks names the task; then the file lists it.

    \b
    Example:
      tagalign leaks tasks/esc10.h5 tags.h5 pairs.h5 -o leaks/esc10.h5
    """
    from tagalign import store
    from tagalign.evaluate.leaks import check_leaks

    allowed = sections["evaluate"]["allow_leaks"]
    name, leaked = check_leaks(task, pretraining, allowed)
    inputs = {"task": task} | {f"pretraining {i}": path for i, path in enumerate(pretraining)}
    config = {"evaluate": {"allow_leaks": allowed}}
    with store.create(output, stage="leaks", config=config, inputs=inputs) as file:
        file.attrs["task"] = name
        store.write_strings(file, "id", leaked)
    print(f"{name}: pretraining has seen {len(leaked)} test recordings")
