"""Part `engine`: compares Koe's engine with `kokoro` as shipped, ONNX Runtime and rivals, on the same weights and real text.

Why the engines run in turns (A B C A B C) and the median counts: a shared machine is faster in one minute than in the next. In
turns, all engines share the fast minutes and the slow ones.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Final

from tests.benchmarks.figures import Row, ratio
from tests.benchmarks.machine import n_cores
from tests.benchmarks.memory import measure_memory
from tests.benchmarks.model import Model, model_once
from tests.benchmarks.onnx_export import MISSING, export_folder, export_once, is_installed
from tests.benchmarks.phonemes import phonemes_near
from tests.benchmarks.plan import Plan
from tests.benchmarks.report import Report, Steps
from tests.benchmarks.speakers import NAMES, ONNX_8BIT, find_speakers
from tests.benchmarks.speakers.apart import Apart
from tests.benchmarks.speakers.rivals import RIVALS, find_rivals, how_to_measure, prepare
from tests.benchmarks.texts import PARAGRAPH

Runs = dict[str, list[float]]
"""Seconds of each run, by the name of the speaker."""

_RATIO_NOTE: Final = "rtf: seconds of computing for a second of audio. ×name: rtf of that engine divided by the rtf of Koe."
_MISSING_8BIT: Final = "Kokoro's 8-bit ONNX file was not measured: name it with --onnx8 PATH."


def measure_engine(report: Report, plan: Plan) -> None:
    """Adds all sheets of this part."""
    model = model_once()
    onnx_dir = _export(report, model, plan) if is_installed() else None
    names = find_speakers(onnx_dir)
    notes = [_RATIO_NOTE, *_missing(onnx_dir, names)]
    if plan.memory_lengths:
        _measure_memory(report, plan, model.folder, onnx_dir)
    with ExitStack() as stack:
        speakers = {name: stack.enter_context(Apart(name, model.folder, onnx_dir)) for name in names}
        _measure_speed(report, plan, speakers, notes)
        _measure_together(report, plan, speakers, notes)
        _measure_first_sound(report, plan, speakers)


def _export(report: Report, model: Model, plan: Plan) -> Path:
    """Calls `export_once`, after a message if the export is still to be made, and has the rivals make their files from it."""
    if not export_folder(model).exists():
        report.console.print("Exporting the model for ONNX Runtime: this takes some minutes, once.")
    onnx_dir = export_once(model, Path(plan.onnx8) if plan.onnx8 else None)
    for name in find_rivals():
        if not (onnx_dir / name).exists():
            report.console.print(f"Preparing {name}: this takes some minutes, once.")
            prepare(name, onnx_dir)
    return onnx_dir


def _missing(onnx_dir: Path | None, names: list[str]) -> list[str]:
    """Returns notes that say which engines were not measured, and why."""
    if onnx_dir is None:
        return [MISSING]
    notes = [] if ONNX_8BIT in names else [_MISSING_8BIT]
    return notes + [how_to_measure(name) for name in RIVALS if name not in names]


def _measure_memory(report: Report, plan: Plan, model_dir: Path, onnx_dir: Path | None) -> None:
    rows: list[Row] = []
    segments = [phonemes_near(length) for length in plan.memory_lengths]
    names = find_speakers(onnx_dir)
    with report.steps("memory", len(names)) as steps:
        for name in names:
            steps.now(name)
            memory = measure_memory(name, model_dir, onnx_dir, n_threads=n_cores(), segments=segments)
            rows.append({"engine": name, **memory})
            steps.done()
    title = f"Resident memory of a process that loads the model and speaks {_lengths(segments)} phonemes"
    report.add("engine.memory", title, rows)


def _lengths(segments: Sequence[str]) -> str:
    """Returns the lengths as text, such as `60, 120`."""
    return ", ".join(str(len(phonemes)) for phonemes in segments)


def _measure_speed(report: Report, plan: Plan, speakers: Mapping[str, Apart], notes: list[str]) -> None:
    """Measures one segment at a time, with one thread and, if the plan says so, with all cores."""
    rows: list[Row] = []
    all_threads = sorted({1, n_cores()}) if plan.is_with_all_cores else [1]
    with report.steps("alone", len(all_threads) * len(plan.lengths) * (plan.n_repeats + 1)) as steps:
        for n_threads in all_threads:
            for length in plan.lengths:
                steps.now(f"{length} phonemes, {n_threads} threads")
                phonemes, audio = phonemes_near(length), dict[str, float]()
                runs = _run_in_turns(speakers, _alone(speakers, phonemes, n_threads, audio), plan.n_repeats, steps)
                rows.append({"threads": n_threads, "phonemes": len(phonemes)} | _compare(runs, audio))
    report.add("engine.alone", f"One segment at a time: the median of {plan.n_repeats} after one to warm up", rows, *notes)


def _alone(speakers: Mapping[str, Apart], phonemes: str, n_threads: int, audio: dict[str, float]) -> Callable[[str], None]:
    """Returns the function to time: the named speaker speaks, and the seconds of its audio are stored in `audio`."""

    def speak(name: str) -> None:
        audio[name] = speakers[name].speak(phonemes, n_threads)

    return speak


def _measure_together(report: Report, plan: Plan, speakers: Mapping[str, Apart], notes: list[str]) -> None:
    """Measures several segments at once. Koe uses one thread per core; the others speak one after the other, each with all
    cores.
    """
    segments, audio = [phonemes_near(length) for length in plan.together_lengths], dict[str, float]()
    with report.steps("together", plan.n_repeats + 1) as steps:

        def speak(name: str) -> None:
            audio[name] = speakers[name].speak_all(segments, n_cores())

        runs = _run_in_turns(speakers, speak, plan.n_repeats, steps)
    title = f"{len(segments)} segments at once ({_lengths(segments)} phonemes) on {n_cores()} cores"
    how = "Koe: a thread for each core, a segment for each thread. The others: one segment after the other, all cores for each."
    report.add("engine.together", title, [{"segments": len(segments)} | _compare(runs, audio)], how, *notes)


def _measure_first_sound(report: Report, plan: Plan, speakers: Mapping[str, Apart]) -> None:
    """Measures the wait of a single listener: for Koe's short first segment, and for the whole first chunk of other servers."""
    koe = speakers["koe"]
    whole = phonemes_near(plan.whole_phonemes)
    ways: dict[str, Callable[[], object]] = {
        "first segment": lambda: koe.call("speak_beginning", PARAGRAPH, n_cores()),
        "whole chunk": lambda: koe.speak(whole, n_cores()),
        "whole chunk, kokoro": lambda: speakers["kokoro"].speak(whole, n_cores()),
    }
    with report.steps("first sound", plan.n_repeats + 1) as steps:
        runs = _run_in_turns(ways, lambda way: ways[way](), plan.n_repeats, steps)
    row = _first_sound_row(runs, koe.call("speak_beginning", PARAGRAPH, n_cores()), len(whole))
    title = f"First audio of {len(PARAGRAPH)} characters on an idle machine: Koe's first segment, with its preparation"
    report.add("engine.first_sound", title, [row], "Other servers wait for a first chunk of 175 to 250 phonemes.")


def _first_sound_row(runs: Runs, n_first: int, n_whole: int) -> Row:
    first, whole, shipped = (median(runs[way]) for way in ("first segment", "whole chunk", "whole chunk, kokoro"))
    return {
        "threads": n_cores(),
        "first phonemes": n_first,
        "first segment s": first,
        "chunk phonemes": n_whole,
        "whole chunk s": whole,
        "whole chunk, kokoro s": shipped,
        "×whole": whole / first,
        "×whole, kokoro": shipped / first,
        **{f"{way} runs s": seconds for way, seconds in runs.items()},
    }


def _run_in_turns(names: Mapping[str, object], speak: Callable[[str], object], n_repeats: int, steps: Steps) -> Runs:
    """Runs each once to warm up, then all of them in turns. Returns the durations without the first ones."""
    runs: Runs = {name: [] for name in names}
    for turn in range(n_repeats + 1):
        for name in names:
            started = time.perf_counter()
            speak(name)
            if turn:
                runs[name].append(time.perf_counter() - started)
        steps.done()
    return runs


def _compare(runs: Runs, audio: Mapping[str, float]) -> Row:
    """Returns each speaker's median, its real-time factor and how many times faster Koe is; None for one that is missing. A
    rival that is missing has no columns.
    """
    names = [name for name in NAMES if name in runs or name not in RIVALS]
    seconds = {name: median(runs[name]) if name in runs else None for name in names}
    rtf = {name: ratio(seconds[name], audio.get(name)) for name in names}
    row: Row = {"audio s": audio["koe"]}
    row |= {f"{name} s": seconds[name] for name in names}
    row |= {f"{name} rtf": rtf[name] for name in names}
    row |= {f"×{name}": ratio(rtf[name], rtf["koe"]) for name in names if name != "koe"}
    return row | {f"{name} runs s": runs[name] for name in runs} | {f"{name} audio s": [audio[name]] for name in runs}
