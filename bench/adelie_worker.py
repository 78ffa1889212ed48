"""What another interpreter runs: ``PYTHON adelie_worker.py FOLDER SETTINGS``; needs numpy and adelie, nothing of ours.

Reads commands from standard input, one a line, and answers each with "done": "load" reads X, y and alphas from the
folder, "solve" fits the path, "save" writes its coefficients there.
"""

import json
import signal
import sys

import adelie  # pyright: ignore[reportMissingImports]
import numpy as np

LONGEST_S = 900  # a solve whose caller has gone does not go on forever


def main(folder: str, settings: dict) -> None:
    """Serves until standard input ends."""
    data, state = {}, None
    for line in sys.stdin:
        command = line.strip()
        if command == "load":
            data = {name: np.load(f"{folder}/{name}.npy") for name in ("X", "y", "alphas")}
        elif command == "solve":
            signal.alarm(LONGEST_S)
            state = adelie.grpnet(
                np.asfortranarray(data["X"]),
                adelie.glm.gaussian(data["y"]),
                alpha=settings["l1_ratio"],
                lmda_path=data["alphas"],
                tol=settings["tol"],
                max_iters=10**7,
                intercept=False,
                early_exit=False,
                progress_bar=False,
            )
            signal.alarm(0)
        elif command == "save" and state is not None:
            np.save(f"{folder}/coef.npy", state.betas.toarray())
        print("done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
