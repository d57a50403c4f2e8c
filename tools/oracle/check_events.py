# SPDX-License-Identifier: Apache-2.0
"""Shows TensorBoard what `adapt` writes: the curves that adapter.json holds, each step once.

    python tools/oracle/check_events.py PROGRAM

Adapts the small model of tests/oracle/models/sd1 twice: at one go, and killed on the way, after which
the file holds steps that are taken again.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

REPOSITORY = Path(__file__).resolve().parents[2]
STEPS = 400


def write_photos(folder):
    generator = numpy.random.default_rng(1)
    for name in ("dog", "boat"):
        (folder / name).mkdir(parents=True)
        for number in range(2):
            pixels = generator.integers(0, 256, (32, 32, 3), dtype=numpy.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


def command(program, photos, out):
    return [program, "adapt", "--model", REPOSITORY / "tests/oracle/models/sd1", "--data", photos, "--shots", "2",
            "--mode", "dataset", "--steps", str(STEPS), "--batch", "2", "--warmup", "5", "--save-every", "150",
            "--validate-every", "50", "--device", "cpu", "--threads", "1", "--quiet", "--out", out]


def curve(events, tag):
    return [[event.step, event.value] for event in events.Scalars(tag)]


def loss_steps(file):
    """Steps of the file as it is, voided ones included."""
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    return [event.step for event in LegacyEventFileLoader(str(file)).Load()
            for value in event.summary.value if value.tag == "loss"]


def problems(out):
    events = EventAccumulator(str(out), size_guidance={"scalars": 0})
    events.Reload()
    record = json.loads((out / "adapter.json").read_text())
    for tag, wanted in (("loss", record["loss"]), ("validation/loss", record["fixed_noise_loss"])):
        if not numpy.array_equal(curve(events, tag), numpy.float64(numpy.float32(wanted))):
            yield f"{out.name}: {tag} is not what adapter.json says"
    rates = [value for _, value in curve(events, "learning_rate")]
    if len(rates) != STEPS // 10 or not max(rates) == rates[0] > rates[-1] >= 0:
        yield f"{out.name}: {len(rates)} learning rates, {rates[:1]} to {rates[-1:]}"


def kill_on_the_way(words, file):
    """Ends the program roughly once steps stand in the file that no saved state holds."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        time.sleep(0.02)
        if file.exists() and loss_steps(file)[-1:] > [170]:
            process.kill()
    process.wait()


def main():
    program = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as holder:
        folder = Path(holder)
        write_photos(folder / "photos")
        whole, killed = folder / "whole", folder / "killed"
        subprocess.run(command(program, folder / "photos", whole), check=True, stdout=subprocess.DEVNULL)
        resumed = command(program, folder / "photos", killed)
        file = killed / "events.out.tfevents.datadream"
        kill_on_the_way(resumed, file)
        subprocess.run(resumed, check=True, stdout=subprocess.DEVNULL)
        found = [*problems(whole), *problems(killed)]
        steps = loss_steps(file)
        if len(steps) == len(set(steps)):
            found.append("killed: no step was taken twice, so nothing was shown")
        print(f"check_events: {len(steps)} losses in the resumed file, {len(set(steps))} of them shown")
    for problem in found:
        print("check_events:", problem)
    print("check_events:", f"{len(found)} failures" if found else "all agree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
