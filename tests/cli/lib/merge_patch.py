"""JSON merge patches (RFC 7386), as the changes from step to step are."""


def patched(target, patch):
    """The target with the patch applied; neither changes."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = patched(target.get(name), value)
    return target
