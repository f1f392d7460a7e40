"""The `tagalign` command: one verb per stage, and verbs for users of a model.

Each verb lives in the module of this package that bears its name and is imported only
when it runs, so that ``tagalign --help`` does not wait for PyTorch.
"""

import difflib
import importlib
import os
import sys
import traceback

import click

from tagalign import __version__, progress
from tagalign.environment import print_any_name
from tagalign.errors import TagalignError, plain

GROUPS = {
    "To begin": {
        "new": "Write a configuration for a folder of sounds.",
    },
    "Stages, in the order in which they run": {
        "catalogue": "List the sounds of the source and deal them into shards.",
        "audio": "Download one shard of sounds from Freesound.",
        "attribution": "Credit the authors of the sounds that were downloaded.",
        "coala": "Make training pairs of the authors' published files.",
        "patches": "Cut the log-mel patch of maximum energy of each sound of a shard.",
        "tags": "Clean and lemmatize the tags; build the vocabulary.",
        "word2vec": "Train CBOW word vectors on the cleaned tags.",
        "pairs": "Join patches and tags into the training file.",
        "train": "Train one system from one seed.",
        "figures": "Draw what a trained model shows.",
        "dataset": "Download, verify and unpack an evaluation data set.",
        "task": "Cut an evaluation data set into patches, with labels and folds.",
        "leaks": "Make sure that pretraining has not seen a test sound.",
        "embed-task": "Embed the clips of a task with a model.",
        "evaluate": "Classify the embeddings of a task and score them.",
        "retrieve": "Search the validation pairs with a model.",
        "zeroshot": "Classify the clips of a task by tags alone.",
        "report": "Put the scores together: table, figures, statistics.",
    },
    "Using a model": {
        "embed": "Embed sounds.",
        "embed-tags": "Embed a set of tags.",
        "tag": "Print the tags that come nearest to sounds.",
        "index": "Embed sounds so that they can be searched.",
        "search": "Find sounds by tags or by a sound.",
        "clean": "Show what becomes of tags.",
        "export": "Write a model as ONNX or safetensors, with a model card.",
        "import-release": "Make a model file of the authors' released weights.",
    },
    "Tools": {
        "inspect": "Show what a file holds and what made it.",
        "verify": "Check that every file of a run follows from its inputs.",
        "plan": "Say what a run has to do, and what disk and time it needs.",
    },
}


class Verbs(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [verb for verbs in GROUPS.values() for verb in verbs]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if not any(name in verbs for verbs in GROUPS.values()):
            return None
        module = importlib.import_module(f"tagalign.cli.{name.replace('-', '_')}")
        return module.command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, verbs = args[0], self.list_commands(ctx)
        if name not in verbs and not name.startswith("-"):
            near = difflib.get_close_matches(name, verbs, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "`tagalign --help` lists them"
            ctx.fail(f"there is no verb {name!r}; {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except TagalignError:
            if ctx.params["verbose"]:
                traceback.print_exc()
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, verbs in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl(list(verbs.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tagalign")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress, only results and errors.")
@click.option("-v", "--verbose", is_flag=True, help="Show where in the code an error comes from.")
def cli(quiet: bool, verbose: bool) -> None:
    """Align what people hear with the tags they write.

    Reproduces "Learning Contextual Tag Embeddings for Cross-Modal Alignment of Audio and
    Tags" (Favory et al., 2020), from Freesound to the paper's table. The Snakemake workflow
    calls the stages below; each also works by hand, and `tagalign VERB --help` shows how.

    Stages take their sections of the configuration from a file, `--config run.yaml`, or as
    JSON, `--params '{"train": {"epochs": 20}}'`, which may be given several times. What neither
    says has its default.
    """
    progress.quiet = quiet


def main() -> None:
    """Run the command line; users' mistakes end in one line and exit status 1."""
    os.environ["PYTHONSAFEPATH"] = "1"  # processes of ours import nothing from where they start
    print_any_name()
    try:
        cli(prog_name="tagalign")
    except TagalignError as error:
        lines = map(plain, str(error).split("\n"))
        print(f"tagalign: {os.linesep.join(lines)}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
