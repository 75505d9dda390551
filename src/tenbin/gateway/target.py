"""What the client named as its model: a profile, to be routed, or a candidate, to be called as it is."""

from __future__ import annotations

from tenbin.config.candidates import PROFILES_PREFIX
from tenbin.config.gateway import AUTO
from tenbin.errors import RequestError, did_you_mean
from tenbin.gateway.caller import Caller
from tenbin.gateway.snapshot import ServedProfile, Snapshot
from tenbin.upstream.destination import Destination


def resolve(snapshot: Snapshot, caller: Caller, model: str) -> ServedProfile | Destination:
    """The profile or the candidate of this name; RequestError 404 where there is none, 403 where the key may not."""
    if model.startswith(PROFILES_PREFIX):
        return _profile(snapshot, caller, model.removeprefix(PROFILES_PREFIX))
    destination = snapshot.destinations.get(model)
    if destination is None or not caller.may_use_model(model):
        raise _unknown(snapshot, caller, model)
    return destination


def names(snapshot: Snapshot, caller: Caller) -> list[str]:
    """Everything that the caller may name, the default first."""
    profiles = [name for name in snapshot.profiles if caller.may_use_profile(name)]
    auto = [AUTO] if profiles and AUTO not in profiles else []
    return [
        *(f"{PROFILES_PREFIX}{name}" for name in (*auto, *sorted(profiles, key=lambda name: (name != AUTO, name)))),
        *(name for name in snapshot.destinations if caller.may_use_model(name)),
    ]


def _profile(snapshot: Snapshot, caller: Caller, name: str) -> ServedProfile:
    if name == AUTO and not (AUTO in snapshot.profiles and caller.may_use_profile(AUTO)):
        first = caller.first_profile(snapshot.default_profile, snapshot.profiles)
        if first is None:
            what = "there is no default profile for this key" if snapshot.profiles else "nothing is routed here"
            raise RequestError(404, "model_not_found", what, param="model", fix=_offer(snapshot, caller))
        return snapshot.profiles[first]
    if name not in snapshot.profiles:
        raise _unknown(snapshot, caller, f"{PROFILES_PREFIX}{name}")
    if not caller.may_use_profile(name):
        raise RequestError(
            403,
            "profile_not_allowed",
            f'this key may not use "{PROFILES_PREFIX}{name}"',
            param="model",
            fix=_offer(snapshot, caller),
        )
    return snapshot.profiles[name]


def _unknown(snapshot: Snapshot, caller: Caller, model: str) -> RequestError:
    # A model that the key may not reach reads like one that does not exist: the list of others' models is theirs.
    shown = model if len(model) <= 100 else f"{model[:100]}…"
    fix = did_you_mean(model, names(snapshot, caller)) or _offer(snapshot, caller)
    return RequestError(404, "model_not_found", f'there is no model "{shown}" here', param="model", fix=fix)


def _offer(snapshot: Snapshot, caller: Caller) -> str:
    offered = names(snapshot, caller)
    return f"name one of {', '.join(offered[:8])}" if offered else "ask for a key that may use a profile or a model"
