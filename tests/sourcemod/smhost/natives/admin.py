"""Admins and their flags."""

from ..clients import FLAGS, ROOT
from ..registry import native
from .people import client


@native("GetUserFlagBits")
def get_user_flag_bits(m, index):
    return client(m, index).flags


@native("SetUserFlagBits")
def set_user_flag_bits(m, index, bits):
    client(m, index).flags = bits


@native("AddUserFlags")
def add_user_flags(m, index, *flags):
    for at in flags:
        client(m, index).flags |= 1 << m.cell(at)


@native("RemoveUserFlags")
def remove_user_flags(m, index, *flags):
    for at in flags:
        client(m, index).flags &= ~(1 << m.cell(at))


def allowed(m, index, flags):
    if index == 0 or flags == 0:
        return 1
    bits = client(m, index).flags
    return int(bool(bits & ROOT) or bits & flags == flags)


@native("CheckCommandAccess")
def check_command_access(m, index, name, flags, override_only=0):
    command = m.host.console.commands.get(m.text(name).lower())
    return allowed(m, index, command.flags if command and not override_only else flags)


@native("CheckAccess")
def check_access(m, admin, name, flags, override_only=0):
    return allowed(m, admin, flags)


@native("GetUserAdmin")
def get_user_admin(m, index):
    # An AdminId; -1 for who is none.
    return index if client(m, index).flags else -1


@native("GetAdminFlag", "AdminId.HasFlag")
def get_admin_flag(m, admin, flag, mode=1):
    return int(admin > 0 and bool(client(m, admin).flags & (1 << flag | ROOT)))


@native("GetAdminFlags", "AdminId.GetFlags")
def get_admin_flags(m, admin, mode=1):
    return client(m, admin).flags if admin > 0 else 0


@native("CanUserTarget")
def can_user_target(m, admin, target):
    if admin == 0 or admin == target:
        return 1
    mine, theirs = client(m, admin).flags, client(m, target).flags
    return int(bool(mine & ROOT) or not theirs)


@native("ReadFlagString")
def read_flag_string(m, text, read=0):
    bits, count = 0, 0
    for letter in m.text(text):
        if letter not in FLAGS:
            break
        bits |= 1 << FLAGS.index(letter)
        count += 1
    if read:
        m.put_cell(read, count)
    return bits


@native("FindFlagByChar")
def find_flag_by_char(m, char, flag):
    letter = chr(char & 127)
    if letter not in FLAGS:
        return 0
    m.put_cell(flag, FLAGS.index(letter))
    return 1


@native("FlagToBit")
def flag_to_bit(m, flag):
    return 1 << flag


@native("BitToFlag")
def bit_to_flag(m, bit, flag):
    m.put_cell(flag, bit.bit_length() - 1)
    return int(bit > 0)


@native("GetCommandOverride")
def get_command_override(m, *_):
    return 0


@native("FindAdminByIdentity")
def find_admin_by_identity(m, *_):
    return -1
