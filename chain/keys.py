"""
The keys of a home's organisation accounts: encrypted files, made once and kept.

Not here: what an account may do (the chain says), or keys that live in somebody's wallet. No key,
password or part of one is ever logged, shown or put into an error.
"""

import json
import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import coincurve
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from eth_account import Account
from eth_account.signers.local import LocalAccount

from chain.durable import fresh_file, make_folder
from chain.failure import Forbidden, Invalid, LedgerError, NotFound
from chain.passwords import read_password, require_private
from chain.readers import public_key_of
from chain.values import HexBytes, PublicKey, hex_bytes

# Cost of trying one password: 2^15 takes 32 MB and about a tenth of a second.
SCRYPT_N: Final = 1 << 15

PASSWORD_FILE: Final = "password"
_PASSWORD_BYTES: Final = 32
_KEY_BYTES: Final = 32
# What the library says where the password or the ciphertext is another.
MAC_MISMATCH: Final = "MAC mismatch"
# An account's key signs; what is sealed for it opens with another, made from it and nothing else.
_ENCRYPTION_INFO: Final = b"shulian encryption key 1"
# HKDF gives a number above the curve's order about once in 2^128.
_DRAWS_MAX: Final = 8


class AccountNameRefused(Invalid):
    """A key's name is lower-case letters, digits and hyphens, at most 64."""

    name: str


class KeyNotFound(NotFound):
    """There is no key of that name in this home."""

    name: str


class PasswordMissing(NotFound):
    """There are keys, but not the password that opens them."""

    path: str


class PasswordWrong(Forbidden):
    """The password does not open the key."""

    name: str


class KeyDamaged(LedgerError):
    """The key file is not what was written: put back the one of a backup."""

    name: str


class Keyring:
    """
    The key files of one folder, all under one password.

    shape: a password that is a function is asked for with the first key
    """

    def __init__(
        self, folder: Path, password: str | Callable[[], str], *, scrypt_n: int = SCRYPT_N
    ) -> None:
        self._folder = folder
        self._given = password
        self._scrypt_n = scrypt_n
        self._open: dict[str, LocalAccount] = {}

    def names(self) -> list[str]:
        """Return the names that have a key, in order."""
        return sorted(path.stem for path in self._folder.glob("*.json"))

    def account(self, name: str) -> LocalAccount:
        """
        Return the account of a name, making its key the first time.

        ensures: a new key is on the disk before it is returned; one that is there is never replaced
        :raises PasswordWrong: if the key is there, but under another password
        """
        path = self._path(name)
        if not path.is_file():
            self._make(path)
        return self.existing(name)

    def existing(self, name: str) -> LocalAccount:
        """
        Return the account of a name.

        :raises KeyNotFound: if there is none
        :raises PasswordWrong: if the password is not the one it was made with
        """
        path = self._path(name)
        if name not in self._open:
            if not path.is_file():
                raise KeyNotFound(name=name)
            self._open[name] = self._read(name, path)
        return self._open[name]

    @property
    def _password(self) -> str:
        if not isinstance(self._given, str):
            self._given = self._given()
        return self._given

    def _path(self, name: str) -> Path:
        if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", name) is None:
            raise AccountNameRefused(name=name)
        return self._folder / f"{name}.json"

    def _make(self, path: Path) -> None:
        make_folder(self._folder)
        self._folder.chmod(0o700)
        key = Account.create(secrets.token_hex(_KEY_BYTES)).key
        kept = Account.encrypt(key, self._password, kdf="scrypt", iterations=self._scrypt_n)
        write_once(path, json.dumps(kept).encode("utf-8"))

    def _read(self, name: str, path: Path) -> LocalAccount:
        require_private(path)
        try:
            kept: Any = json.loads(path.read_text("utf-8"))
            noted = str(kept["address"]).lower()
            account: LocalAccount = Account.from_key(Account.decrypt(kept, self._password))
        except (ValueError, KeyError, TypeError, NotImplementedError) as error:
            # A checksum says this; it cannot tell a wrong password from a changed ciphertext.
            is_password = str(error) == MAC_MISMATCH
            raise (PasswordWrong(name=name) if is_password else KeyDamaged(name=name)) from None
        if account.address[2:].lower() != noted.removeprefix("0x"):
            raise KeyDamaged(name=name)
        return account


def home_password(home: Path) -> str:
    """
    Return the password of a home's keys, from a file that only its owner may read.

    :raises PasswordMissing: FileOpenToOthers: as `folder_password` does
    """
    return folder_password(home / "keys")


def folder_password(folder: Path) -> str:
    """
    Return the password that a folder keeps in a file of its own, made at random the first time.

    shape: one that is lost is not made anew
    :raises PasswordMissing: if there are keys, but not what opens them
    :raises FileOpenToOthers: if others may read it
    """
    path = folder / PASSWORD_FILE
    if not path.is_file():
        if any(folder.glob("*.json")):
            raise PasswordMissing(path=str(path))
        write_once(path, secrets.token_urlsafe(_PASSWORD_BYTES).encode("ascii"))
    require_private(path)
    return read_password(path)


def home_keyring(
    home: Path, *, password_file: str = "", password: str = "", scrypt_n: int = SCRYPT_N
) -> Keyring:
    """Return a home's keys, under a given password or else that of a file or of the home."""

    def opening() -> str:
        if password or password_file:
            return password or read_password(Path(password_file))
        return home_password(home)

    if (home / "keys").is_dir():
        (home / "keys").chmod(0o700)
    return Keyring(home / "keys", opening, scrypt_n=scrypt_n)


def encryption_private_key(account: LocalAccount) -> HexBytes:
    """Return the key that opens what is sealed for an account; it signs nothing."""
    for draw in range(_DRAWS_MAX):
        derived = HKDF(
            algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_ENCRYPTION_INFO + bytes([draw])
        ).derive(bytes(account.key))
        try:
            coincurve.PrivateKey(derived)
        except ValueError:
            continue
        return hex_bytes(derived)
    raise ArithmeticError("no key below the curve's order")


def encryption_public_key(account: LocalAccount) -> PublicKey:
    """Return the public key that others seal for: 33 bytes, compressed, registered on chain."""
    return public_key_of(bytes.fromhex(encryption_private_key(account)[2:]))


def write_once(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, unless it is there: then leave it as it is."""
    with fresh_file(path.parent) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        # Unlike a rename, a link never replaces the file that another made meanwhile.
        with suppress(FileExistsError):
            os.link(file.name, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
