"""What a user reads where a package of an extra is missing."""

import pytest

from tagalign.errors import MissingPackageError, import_extra


def test_a_missing_package_names_its_extra():
    with pytest.raises(MissingPackageError, match=r"no_such_package .*tagalign\[reference\]"):
        import_extra("no_such_package", "reference")


def test_one_that_is_there_is_returned():
    assert import_extra("inflect", "reference").engine().singular_noun("dogs") == "dog"
