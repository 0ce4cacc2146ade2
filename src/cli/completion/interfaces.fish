# The names of interfaces are asked of this machine.
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -f -a "(command nettool ifaces --names 2>/dev/null)"
for asking in connect listen probe
    complete -c nettool -n "__fish_nettool_using_subcommand $asking" -l interface -x -a "(command nettool ifaces --names 2>/dev/null)"
end
# A list of ports may be one of these.
complete -c nettool -n "__fish_nettool_using_subcommand probe" -s p -l ports -x -a "common well-known registered dynamic all"
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l exclude-ports -x -a "common well-known registered dynamic all"
complete -c nettool -n "__fish_nettool_using_subcommand probe" -a "common well-known registered dynamic all"
