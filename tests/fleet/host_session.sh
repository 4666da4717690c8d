#!/bin/sh
# What each ssh session of a simulated host runs (ForceCommand): the client's command by `sh -c`, in
# an environment whose PATH begins with the host's own programs (host_program.sh). The command is
# told to the host, which logs it.
#
# PATH is all that stands between a command and the real machine: one that names a program which
# restarts by its path, or the kernel's own trigger, is refused. Only `cat` sees the host's ids.
PATH=$FLEET_HOST/bin:/usr/local/bin:/usr/bin:/bin
export PATH FLEET_HOST
command=$SSH_ORIGINAL_COMMAND
# One line, shorter than what a FIFO takes at once.
printf 'command %.3000s\n' "$(printf %s "$command" | tr '\n' ' ')" >"$FLEET_HOST/control"
case $command in
*/reboot* | */shutdown* | */poweroff* | */halt* | */init* | */telinit* | */systemctl* | \
    *sysrq* | *kexec* | *PATH=*)
    echo 'fleet: that would be a program of the real machine: call it without a path' >&2
    exit 126
    ;;
esac
exec sh -c "$command"
