# The names of interfaces are asked of this machine.
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -f -a "(command nettool ifaces --names 2>/dev/null)"
for asking in connect listen probe
    complete -c nettool -n "__fish_nettool_using_subcommand $asking" -l interface -x -a "(command nettool ifaces --names 2>/dev/null)"
end
# A list of ports may be one of these.
complete -c nettool -n "__fish_nettool_using_subcommand probe" -s p -l ports -x -a "common well-known registered dynamic all"
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l exclude-ports -x -a "common well-known registered dynamic all"
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from list watch" -s p -l port -x -a "common well-known registered dynamic all"
complete -c nettool -n "__fish_nettool_using_subcommand probe" -a "common well-known registered dynamic all"
# Words that are no options.
complete -c nettool -n "__fish_nettool_using_subcommand man" -f -a "ifaces connect listen probe buffers buffers-fill buffers-list buffers-advise buffers-watch"
complete -c nettool -n "__fish_nettool_using_subcommand completions" -f -a "bash elvish fish powershell zsh"
