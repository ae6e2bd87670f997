"""The configuration: defaults, then a file, then the environment; every refusal names the key and where it was read."""

from pathlib import Path

import pytest

from kernel.config import Config, describe
from kernel.config_reading import load
from kernel.errors import InvalidConfiguration


def read(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> Config:
    file = tmp_path / "vienanh.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, environment or {})


def test_without_a_file_the_defaults_hold():
    assert load(environment={}) == Config()


def test_a_file_overrides_defaults_and_the_environment_overrides_the_file(tmp_path: Path):
    config = read(
        tmp_path,
        '[node]\nrole = "site"\nname = "Bệnh viện Bắc Hà"\n[dimse]\nport = 104\n[http]\ntrusted_proxies = ["10.0.0.1"]\n',
        {"VIENANH_DIMSE_PORT": "4242", "VIENANH_NODE_DATA": "/srv/anh", "VIENANH_DIMSE_ENABLED": "no", "HOME": "/x"},
    )

    assert (config.node.role, config.node.name, config.node.data) == ("site", "Bệnh viện Bắc Hà", Path("/srv/anh"))
    assert (config.dimse.port, config.dimse.enabled) == (4242, False)
    assert config.http.trusted_proxies == ("10.0.0.1",)
    assert config.origin == str(tmp_path / "vienanh.toml")


def test_files_that_a_configuration_names_lie_beside_it_and_the_data_where_the_node_is_started(tmp_path: Path):
    file = tmp_path / "node.toml"
    file.write_text(
        '[node]\ndata = "data"\n[http]\ntls_certificate = "node.crt"\ntls_key = "/etc/vienanh/node.key"\n'
        '[anonymizer]\nprofiles = "profiles"\n'
    )

    config = load(file, {"VIENANH_DATABASE_PASSWORD_FILE": "here"})

    assert config.http.tls_certificate == tmp_path / "node.crt"
    assert config.http.tls_key == Path("/etc/vienanh/node.key")
    assert config.anonymizer.profiles == tmp_path / "profiles"
    assert config.anonymizer.key_file is None
    assert (config.node.data, config.database.password_file) == (Path("data"), Path("here"))


def test_the_environment_gives_lists_numbers_and_nothing(tmp_path: Path):
    config = load(
        environment={
            "VIENANH_HTTP_TRUSTED_PROXIES": "10.0.0.1,10.0.0.2,",
            "VIENANH_ACCESS_SESSION_HOURS": "0.5",
            "VIENANH_DATABASE_PASSWORD_FILE": "",
        }
    )

    assert config.http.trusted_proxies == ("10.0.0.1", "10.0.0.2")
    assert config.access.session_hours == 0.5
    assert config.database.password_file is None


def test_sources_destinations_and_rules_are_kept_as_read(tmp_path: Path):
    config = read(tmp_path, '[[source]]\nname = "ct"\n[[rule]]\nto = ["hub"]\n[[rule]]\nto = []\n')

    assert config.source == ({"name": "ct"},)
    assert [rule["to"] for rule in config.rule] == [["hub"], []]


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("[nodes]", "nodes: no such section; there are node, dimse"),
        ("node = 3", "node: must be a table"),
        ("[node]\nsites = 'x'", "node.sites: no such key; there are role, site"),
        ("[node]\nrole = 'centre'", "node.role: must be one of site, hub, both"),
        ("[node]\nsite = 7", "node.site: must be text"),
        ("[node]\nsite = 'a b'", "node.site: must be 1 to 32 letters"),
        ("[node]\nsite = ''", "node.site: must be 1 to 32 letters"),
        (f"[node]\nsite = '{'x' * 33}'", "node.site: must be 1 to 32 letters"),
        ("[dimse]\nport = 'many'", "dimse.port: must be a whole number"),
        ("[dimse]\nport = 104.5", "dimse.port: must be a whole number"),
        ("[dimse]\nport = true", "dimse.port: must be a whole number"),
        ("[dimse]\nport = 65536", "dimse.port: must be 0 to 65535"),
        ("[dimse]\nenabled = 1", "dimse.enabled: must be true or false"),
        ("[dimse]\nae_title = 'longer than sixteen'", "dimse.ae_title: must be 1 to 16 printable ASCII"),
        ("[dimse]\nae_title = 'a\\\\b'", "dimse.ae_title: must be 1 to 16 printable ASCII"),
        ("[dimse]\nidle_timeout_s = 'soon'", "dimse.idle_timeout_s: must be a number"),
        ("[dimse]\nassociations_max = 0", "dimse.associations_max: must be more than zero"),
        ("[http]\ntrusted_proxies = 3", "http.trusted_proxies: must be a list"),
        ("[http]\ntrusted_proxies = [3]", "http.trusted_proxies: must be text"),
        ("[access]\nsession_hours = nan", "access.session_hours: must be a number"),
        ("[http]\ntls_key = 'key.pem'", "http.tls_certificate: tls_certificate and tls_key go together"),
        ("[[rule]]\n[source]\nname = 'x'", r"source: must be a list of tables, \[\[source\]\]"),
        ("rule = [3]", r"rule: must be a list of tables, \[\[rule\]\]"),
        ("[node", "file: not TOML"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_by_its_key(tmp_path: Path, text: str, refusal: str):
    with pytest.raises(InvalidConfiguration, match=rf"vienanh.toml: {refusal}"):
        read(tmp_path, text)


def test_where_zero_says_none_it_is_taken(tmp_path: Path):
    assert read(tmp_path, "[archive]\ntiers_bytes_max = 0").archive.tiers_bytes_max == 0
    with pytest.raises(InvalidConfiguration, match=r"archive.tiers_bytes_max: must be more than zero"):
        read(tmp_path, "[archive]\ntiers_bytes_max = -1")


def test_a_variable_that_cannot_be_used_is_refused_by_its_name():
    with pytest.raises(InvalidConfiguration, match="VIENANH_DIMSE_ENABLED: enabled: must be true or false"):
        load(environment={"VIENANH_DIMSE_ENABLED": "perhaps"})


def test_a_misspelt_variable_is_refused_and_a_foreign_one_is_not():
    with pytest.raises(InvalidConfiguration, match="environment: VIENANH_DIMSE_PROT: no such setting"):
        load(environment={"VIENANH_SAMPLES": "/x", "VIENANH_DIMSE_PROT": "104"})


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(InvalidConfiguration, match=r"missing.toml: file: No such file or directory"):
        load(tmp_path / "missing.toml", {})


def test_every_setting_says_what_it_is_for():
    settings = list(describe())

    assert ("dimse.port", "VIENANH_DIMSE_PORT", "11112", "TCP port; 0 takes a free one") in settings
    assert all(doc for _, _, _, doc in settings)
    assert len({variable for _, variable, _, _ in settings}) == len(settings)
