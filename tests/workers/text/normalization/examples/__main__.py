"""`python -m tests.workers.text.normalization.examples`: rewrites the tables of examples."""

import argparse
import sys

import structlog

from tests.workers.text.normalization.examples import LANGUAGES, load, speak, store, to_markdown
from workers.text.g2p.phonemize import Phonemizer


def main() -> None:
    parser = argparse.ArgumentParser(description="Rewrites the tables of examples.")
    parser.add_argument("languages", nargs="*", default=LANGUAGES, help="names of the files; all without any")
    parser.add_argument("--markdown", action="store_true", help="print a page, and write nothing")
    arguments = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    phonemizer = Phonemizer()
    for language in arguments.languages:
        table = load(language)
        spoken = {kind: [speak(example, language, phonemizer) for example in examples] for kind, examples in table.items()}
        if arguments.markdown:
            sys.stdout.write(to_markdown(language, spoken))
        else:
            store(language, spoken)


if __name__ == "__main__":
    main()
