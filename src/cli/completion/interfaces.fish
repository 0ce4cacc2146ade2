# The names of interfaces are asked of this machine.
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -f -a "(command nettool ifaces --names 2>/dev/null)"
