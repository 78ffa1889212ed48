"""What the outputs of a notebook are, whatever they say: the same at every size that the notebook can be run at."""


def structure(cell):
    """Return a word for each output of a code cell: the stream's name, or its type with the kinds of its data."""
    words = []
    for output in cell.get("outputs", ()):
        kind = output["output_type"]
        what = output.get("name") or output.get("ename") or " ".join(sorted(output.get("data", {})))
        words.append(f"{kind} ({what})")
    return words


def difference(stored, executed):
    """Return in words where the outputs of notebooks differ in structure, or an error is stored; else None."""
    both = stored["cells"], executed["cells"]
    if len(both[0]) != len(both[1]):
        return f"{len(both[0])} cells are stored, {len(both[1])} were executed"
    for number, (old, new) in enumerate(zip(*both), 1):
        before, after = structure(old), structure(new)
        if any(word.startswith("error") for word in before):
            return f"an error is stored in cell {number}"
        if before != after:
            return f"the outputs stored of cell {number} are {_listed(before)}, those of its execution {_listed(after)}"
    return None


def _listed(words):
    return ", ".join(words) or "none"
