"""What an HDF5 file from a stranger may not hold: a seal says that it is whole, not whose it is.

HDF5 can refer to other files, whose bytes would end up in an output, and a few bytes can claim
an array of terabytes.
"""

import h5py
import numpy as np

FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE}
EXPANSION = 1100  # zlib makes at most 1032 bytes of one


def suspicious(file: h5py.File) -> str | None:
    """What is wrong with the links and data sets of an open file, or None."""
    size, stored, groups, seen = file.id.get_filesize(), 0, [file["/"]], set()
    while groups:
        group = groups.pop()
        for name in group:
            where = f"{group.name.rstrip('/')}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                return f"{where} refers to another place or file"
            node = group[name]
            address = h5py.h5o.get_info(node.id).addr
            if address in seen:
                return f"{where} is there under two names"
            seen.add(address)
            if isinstance(node, h5py.Group):
                groups.append(node)
            elif isinstance(node, h5py.Dataset):
                stored += node.id.get_storage_size()
                wrong = _suspicious_data(node)
                if wrong or stored > size:
                    return f"{where} {wrong or 'claims more bytes than the file has'}"
    return None


def _suspicious_data(data: h5py.Dataset) -> str | None:
    properties = data.id.get_create_plist()
    if properties.get_layout() == h5py.h5d.VIRTUAL or properties.get_external_count():
        return "lies in another file"
    filters = {properties.get_filter(n)[0] for n in range(properties.get_nfilters())}
    if filters - FILTERS:
        return "is compressed in an unknown way"
    most = data.id.get_storage_size() * (EXPANSION if filters else 1)
    # Numbers of the whole array, counted without overflow.
    claimed = int(np.prod([int(n) for n in data.shape or ()], dtype=object)) * data.dtype.itemsize
    if claimed > most and data.size:
        return f"claims {claimed} bytes, but holds {most} at most"
    return None
