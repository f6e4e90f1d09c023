from __future__ import annotations

import pytest


@pytest.fixture
def secure(tmp_path):
    """Settings of an administrator of a cluster that asks who comes, and is not there."""
    (tmp_path / "secret").write_text("secret\n")
    path = tmp_path / "admin.yml"
    path.write_text("kafka_protocol: SASL_SSL\nkafka_username: fsoc-admin\nkafka_password_file: secret\n")
    return ("--settings", str(path))
