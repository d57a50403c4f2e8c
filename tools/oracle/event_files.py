# SPDX-License-Identifier: Apache-2.0
"""Records an event file of TensorBoard's own writer (tests/oracle/events).

events.json      what was written, one entry an event
events.tfevents  the file: TensorFlow's Event messages in TFRecord frames
"""

import common
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

EVENTS = [
    {"kind": "version", "wall_time": 1700000000.25},
    {"kind": "scalar", "wall_time": 1700000001.5, "step": 0, "tag": "validation/loss", "value": 1.0},
    {"kind": "scalar", "wall_time": 1700000002.125, "step": 10, "tag": "loss", "value": 0.1},
    {"kind": "scalar", "wall_time": 1700000003.0, "step": 300, "tag": "learning_rate", "value": 1e-4},
    {"kind": "scalar", "wall_time": 1700000004.0, "step": 2 ** 33, "tag": "t" * 200, "value": -3.5e38},
    {"kind": "scalar", "wall_time": 1700000005.0, "step": 301, "tag": "zero", "value": 0.0},
    {"kind": "restart", "wall_time": 1700000006.0, "step": 301},
]


def message(event):
    made = event_pb2.Event(wall_time=event["wall_time"], step=event.get("step", 0))
    if event["kind"] == "version":
        made.file_version = "brain.Event:2"
    elif event["kind"] == "restart":
        made.session_log.status = event_pb2.SessionLog.START
    else:
        value = summary_pb2.Summary.Value(tag=event["tag"], simple_value=event["value"])
        made.summary.value.append(value)
    return made.SerializeToString()


def main():
    folder = common.fresh_data(common.arguments(__doc__).out / "events")
    with open(folder / "events.tfevents", "wb") as file:
        writer = RecordWriter(file)
        for event in EVENTS:
            writer.write(message(event))
    for event in EVENTS:
        if event.get("value") == -3.5e38:
            event["value"] = "-infinity"  # what it is as a float
    common.write_json(folder / "events.json", EVENTS)
    common.write_note(folder, __file__, 0, {"events.json": "the events", "events.tfevents": "the file"},
                      ("tensorboard", "protobuf"), tolerance="equal bytes")


if __name__ == "__main__":
    main()
