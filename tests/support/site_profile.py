"""The Slurm profile as a site has it: a copy with its lines filled in."""

import shutil
from pathlib import Path


def make_site_profile(root: Path) -> list[str]:
    """Copy the profile and name the partitions, as profiles/README.md says.

    Returns
    -------
    list of str
        The options of Snakemake that choose the copy. An account is left out: there is none.
    """
    profiles = root / "workflow" / "profiles"
    shutil.copytree(profiles / "slurm", profiles / "mysite", dirs_exist_ok=True)
    path = profiles / "mysite" / "profile.yaml"
    text = path.read_text()
    filled = text.replace("#site: slurm_partition:", "slurm_partition:")
    assert filled != text
    path.write_text(filled)
    return ["--workflow-profile", "workflow/profiles/mysite", "--slurm-no-account"]
