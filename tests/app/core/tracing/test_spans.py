"""What a span may say is one table, and a span that records nothing does nothing."""

from app.core.tracing.spans import ATTRIBUTES, NO_SPAN, NO_TRACING, Facts


def test_every_fact_has_an_attribute() -> None:
    assert set(ATTRIBUTES) == set(Facts.__annotations__)
    assert len(set(ATTRIBUTES.values())) == len(ATTRIBUTES)


def test_a_span_that_records_nothing_has_no_trace() -> None:
    span = NO_TRACING.begin("speak", engine="tone")

    with span.child("segment") as child, child.linked("job") as job:
        job.note(status=200)
        job.fail(ValueError())

    assert span is child is job is NO_SPAN
    assert (dict(span.context), span.log_fields, span.trace_id) == ({}, {}, "")
