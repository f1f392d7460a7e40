# Which files belong to a stage, and which of them a job reads.
import functools

from tagalign.planning.sounds import digest_sounds
from tagalign.sources.folder import count_rows
from tagalign.planning.digests import digest_files
from tagalign.planning.clips import digest_clips


def stem(path):
    return Path(path).stem


def shards():
    """Numbers of the shards, known once the catalogue is made."""
    directory = Path(checkpoints.catalogue.get().output.shards)
    return sorted(path.stem for path in directory.glob("*.h5"))


def patch_files(wildcards):
    return expand(f"{RESULTS}/patches/{{shard}}.h5", shard=shards())


def audio_files(wildcards):
    return expand(f"{DATA}/audio/{{shard}}.h5", shard=shards()) if SOURCE == "freesound" else []


def sounds(wildcards, input):
    """Where the sounds of a shard are: its file of audio, or the folder of the source."""
    folder = settings["source"]["folder"]["audio"]
    return f"--audio {input.audio}" if input.audio else f"--folder {shlex.quote(str(folder))}"


def word_vectors(wildcards):
    width = find_system(wildcards.system).width
    return f"{RESULTS}/word2vec/{width}.h5" if width else []


def checkpoint_directory(wildcards):
    """Where a training is saved: a place for each configuration of what it is made of.

    The trainer refuses the checkpoint of another configuration. After a change of the
    configuration it finds none here and starts anew; going back resumes the old one.
    """
    names = ("source", "patches", "tags", "word2vec", "pairs", "model", "train")
    key = hashlib.sha256(sections(*names).encode()).hexdigest()[:12]
    return f"{RESULTS}/checkpoints/{wildcards.system}/{wildcards.seed}-{key}"


def training_records(wildcards):
    """Options for what a training tells of itself beside its model; nothing depends on it."""
    compute = settings["compute"]
    directory = f"{RESULTS}/training/{wildcards.system}/{wildcards.seed}"
    options = f"--checkpoint-minutes {compute['checkpoint_minutes']}"
    options += f" --history {directory}/history.jsonl --figures {directory}"
    return options + (f" --tensorboard {directory}" if compute["tensorboard"] else "")


def model_file(wildcards):
    if wildcards.system == "mfcc":
        return []
    return f"{RESULTS}/models/{wildcards.system}/{wildcards.seed}.h5"


def stage_files(stage):
    """Files `stage/SYSTEM/SEED/TASK.h5` of all systems, seeds and tasks that go together."""
    files = []
    for task in TASKS:
        if "mfcc" in settings["systems"] and task not in FROM_TAGS:
            files.append(f"{RESULTS}/{stage}/mfcc/0/{task}.h5")
        for system in TRAINED:
            if system.tag_encoder or task not in FROM_TAGS:
                files += [f"{RESULTS}/{stage}/{system.name}/{seed}/{task}.h5" for seed in SEEDS]
    return files


DATASET_FILES = {task: contents(*named_files(f"datasets.{task}")) for task in TASKS}
MODELS = [f"{RESULTS}/models/{system.name}/{seed}.h5" for system in TRAINED for seed in SEEDS]


def counted_files(wildcards):
    """Files whose sounds that were left out are counted in the report."""
    files = [f"{RESULTS}/tags.h5", f"{RESULTS}/pairs.h5"]
    if SOURCE != "coala":
        files += [f"{DATA}/catalogue.h5"] + patch_files(wildcards)
    files += [f"{RESULTS}/leaks/{task}.h5" for task in TASKS if TRAINED]
    # Which clips have no known tag depends on the vocabulary alone: any model tells.
    embeddings = {Path(path).name: path for path in stage_files("embeddings")}
    tag_files = [f"{task}.h5" for task in TASKS if task in FROM_TAGS]
    files += [embeddings[name] for name in tag_files if name in embeddings]
    return files + [f"{RESULTS}/tasks/{task}.h5" for task in TASKS]


def show_report():
    """Print the table and where the files lie, if this run made them."""
    text = Path(LOGS, "report.log")
    if text.is_file() and text.stat().st_mtime >= STARTED:
        print(text.read_text())


def known_sounds():
    """Number of sounds: of the catalogue, else of the folder's table, else of the paper."""
    catalogue = Path(DATA, "catalogue.h5")
    if catalogue.is_file():
        with store.read(catalogue) as file:
            return store.count_strings(file["id"])
    if SOURCE == "folder":
        return count_rows(settings["source"])
    return estimate.PAPER_SOUNDS


@functools.cache
def sound_contents():
    """Digest of the sounds of a folder.

    It is the same for the whole run, even if sounds are added meanwhile.
    """
    # Beside the journal, which outlives every output.
    return digest_sounds(settings["source"], f"{DATA}/journal/sha256.json")


@functools.cache
def task_contents(task):
    """Digest of the clips of a data set that is the user's own."""
    memory = f"data/datasets/{task}.sha256.json"
    return digest_clips(find_task(task), settings["datasets"][task], memory)


@functools.cache
def published_contents():
    """Digests of the published files that are the user's own copies."""
    named = [settings["source"]["coala"][part] for part in ("train", "validation")]
    own = [path for path in named if "://" not in path and Path(path).is_file()]
    known = digest_files(own, f"{DATA}/journal/sha256.json")
    return [known[path] for path in own]


def announce():
    """Say what the run needs; refuse to start one that could not end."""
    jobs = workflow.resource_settings.nodes
    # Snakemake sets use_threads where jobs run elsewhere, also in a dry run.
    cluster = bool(jobs and workflow.execution_settings.use_threads)
    sounds = checked(known_sounds)
    needs = estimate.estimate(
        settings,
        sounds,
        # A training has four on a cluster.
        cores=4 if cluster else workflow.resource_settings.cores or os.cpu_count(),
        jobs=jobs if cluster else 1,
        gpu=DEVICE == "cuda" or bool(DEVICE == "auto" and (cluster or shutil.which("nvidia-smi"))),
    )
    print(f"tagalign: {estimate.in_words(needs)}", file=sys.stderr)
    if workflow.touch or not len(workflow.dag):
        return
    problem = lost_shards(sounds)
    if settings["compute"]["check_disk"]:
        problem = problem or estimate.shortage(needs, DATA, "data/datasets", RESULTS)
    if problem:
        if not workflow.dryrun:
            raise SystemExit(f"tagalign: {problem}")
        print(f"tagalign: {problem}", file=sys.stderr)


CONFIGURATION = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)


def note_places():
    """Write into the configuration of a finished run where its data are now.

    Nothing reruns for that, so that the file keeps its time; `tagalign verify` looks there.
    """
    path = Path(RESULTS, "config.yaml")
    if not path.is_file() or path.read_text() == CONFIGURATION:
        return
    made = configuration.load(path)
    if configuration.without_places(made) == configuration.without_places(settings):
        times = path.stat()
        with store.replacing(path) as part:
            part.write_text(CONFIGURATION)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def lost_shards(sounds):
    """What to say where an array of shards would never be submitted; None if it would.

    Of an array that the Slurm plugin (2.8.0) is handed in parts it forgets the first ones, while
    Snakemake waits for them for ever.
    """
    arrays = getattr(workflow.executor_settings, "array_jobs", None) or ""
    waiting = {job.rule.name for job in workflow.dag.needrun_jobs()}
    if "patches" not in arrays or waiting.isdisjoint({"catalogue", "patches"}):
        return None
    shards = -(-sounds // settings["source"]["shard_size"])
    per_time = workflow.scheduling_settings.max_jobs_per_timespan.max_jobs
    others = 100  # jobs of other stages at the same time
    if min(workflow.nodes, per_time) >= shards + others:
        return None
    return (
        f"an array of {shards} shards needs jobs and max-jobs-per-timespan of {shards + others} or"
        ' more; give these, or submit one shard at a time with --slurm-array-jobs ""'
    )
