"""The commands of an operator: top, doctor, new-key, redis-url."""

import click
import msgspec

from app.access.keyring import make_key
from app.cli import doctor, top
from app.cli.help import AS_JSON, examples
from app.cli.queue_url import queue_url
from app.cli.texts import Name
from app.cli.with_settings import with_settings
from app.core.host.console import plain_console
from app.core.host.terminal import echo_json
from app.core.logs import configure_logs
from app.core.settings import Settings
from app.core.storage.embedded_server import EmbeddedError
from app.core.storage.sentinel import primary_url


@click.command("top", epilog=examples("koe top", "koe top --once", "koe top --json | jq .queues"))
@click.option("--once", is_flag=True, help="Print it once, as it also is where the output is no terminal.")
@click.option("--every", "every_seconds", type=click.FloatRange(0.2), default=1.0, show_default=True, help="Seconds.")
@AS_JSON
@with_settings(EmbeddedError)
def top_(settings: Settings, once: bool, as_json: bool, every_seconds: float) -> None:
    """Show queues, what is spoken now, the oldest wait and all workers, until Ctrl-C. No text is shown."""
    shown, console = top.open_top(settings, queue_url(settings)), plain_console()
    if as_json:
        shown.print_json()
    elif once or not console.is_terminal:
        shown.print_once(console)
    else:
        shown.refresh(console, every_seconds)


@click.command("doctor", epilog=examples("koe doctor", "koe doctor --json"))
@AS_JSON
@with_settings(EmbeddedError)
def doctor_(settings: Settings, as_json: bool) -> None:
    """Show what is here, what is missing, and the command that fixes it."""
    configure_logs(settings.log_format)
    checks = doctor.diagnose(settings, queue_url(settings))
    if as_json:
        echo_json(msgspec.to_builtins(checks))
    else:
        doctor.show(checks, plain_console())
    if not doctor.is_well(checks):
        raise SystemExit(1)


@click.command(
    epilog=examples("koe new-key kitchen >> keys.toml", "koe new-key team --rate-limit 60/minute --max-jobs 5 >> keys.toml")
)
@click.argument("name", type=Name())
@click.option("--rate-limit", help="Instead of KOE_RATE_LIMIT: `60/minute`, or `none`.")
@click.option("--max-concurrent", type=click.IntRange(0), help="Instead of KOE_MAX_CONCURRENT; 0 is no limit.")
@click.option("--max-jobs", type=click.IntRange(0), help="Instead of KOE_MAX_OPEN_JOBS; 0 is no limit.")
def new_key(name: str, rate_limit: str | None, max_concurrent: int | None, max_jobs: int | None) -> None:
    """Make an API key, and print its entry for KOE_API_KEYS_FILE. The key itself is shown once, on standard error."""
    try:
        key, entry = make_key(name, rate_limit=rate_limit, max_concurrent=max_concurrent, max_jobs=max_jobs)
    except ValueError as error:
        raise click.ClickException(f"--rate-limit: {error}.") from None
    click.echo(f"The key of {name}, which is stored nowhere: {key}", err=True)
    click.echo(entry)


@click.command(epilog=examples('rq-dashboard --redis-url "$(koe redis-url)"'))
@with_settings(EmbeddedError)
def redis_url(settings: Settings) -> None:
    """Print the URL of the queue, for rq-dashboard and similar programs; with sentinels, the URL of the current primary."""
    click.echo(primary_url(queue_url(settings)))
