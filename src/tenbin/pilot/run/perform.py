"""A prepared pilot run from its first call to its last: the journal, the client and the grader opened and closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from tenbin.config.profiles import read_profiles
from tenbin.errors import ConfigError, did_you_mean
from tenbin.pilot.journal import Journal
from tenbin.pilot.run.prepared import Prepared
from tenbin.pilot.run.report import RunReport
from tenbin.pilot.run.run import Run, RunOptions
from tenbin.quality.grader import Grader
from tenbin.quality.open_grader import open_grader
from tenbin.upstream.client import UpstreamClient


async def perform(
    prepared: Prepared,
    environ: Mapping[str, str],
    options: RunOptions,
    *,
    begun: Callable[[Run], None] = lambda _: None,
) -> RunReport:
    """Run the pilot; `begun` is called with the run before its first call, to watch it and to stop it.

    A budget other than the settings' becomes theirs. Raises what `open_pilot_grader` raises; StoreError where another
    process writes this pilot or the disk does not take the journal; UsageError as `Run`.
    """
    with Journal.open(prepared.folder) as journal:
        client = UpstreamClient(environ, resends=False)
        await client.open()
        try:
            grader = open_pilot_grader(prepared, environ, client)
            run = Run(prepared, journal, client, grader, options)
            if prepared.budget_usd != prepared.settings.budget_usd:
                changed = msgspec.structs.replace(prepared.settings, budget_usd=prepared.budget_usd)
                prepared.folder.write_settings(changed)
            begun(run)
            return await run.run()
        finally:
            await client.close()


def open_pilot_grader(prepared: Prepared, environ: Mapping[str, str], client: UpstreamClient) -> Grader:
    """The grader of the metric that the pilot's profile names today, with its threshold, as `pilot plan` opens it.

    Where the profile names none any more, that of the plan. Raises ConfigError for a profile that is not configured any
    more, and what `open_grader` raises.
    """
    settings, document = prepared.settings, prepared.document
    profiles = read_profiles(document)
    if settings.profile not in profiles:
        fix = did_you_mean(settings.profile, profiles) or "put it back, or plan the pilot anew"
        raise ConfigError(f'has no profile "{settings.profile}"', where=settings.config, fix=fix)
    profile = profiles[settings.profile]
    return open_grader(
        document,
        profile.metric or settings.metric,
        prices=prepared.prices,
        client=client,
        candidates=settings.candidates,
        environ=environ,
        threshold=profile.threshold,
    )
