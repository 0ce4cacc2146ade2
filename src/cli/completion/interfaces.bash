# The names of interfaces are asked of this machine. A name may be anything without a slash, a colon
# or white space: compgen -W would run a command that is written in it.
_nettool_interfaces() {
    local name
    COMPREPLY=()
    while IFS= read -r name; do
        if [[ $name == "$1"* ]]; then
            COMPREPLY+=("$(printf %q "$name")")
        fi
    done < <(command nettool ifaces --names 2>/dev/null)
}

_nettool_named() {
    local word before
    _nettool "$@"
    case "${COMP_WORDS[*]:1:COMP_CWORD-1}" in
        *probe*\ -p | *probe*\ --ports | *probe*\ --exclude-ports | *buffers*\ -p | *buffers*\ --port)
            COMPREPLY=($(compgen -W "common well-known registered dynamic all" -- "$2"))
            return
            ;;
        *\ --interface)
            _nettool_interfaces "$2"
            return
            ;;
    esac
    case "$3" in
        --color | --every | --for)
            return
            ;;
    esac
    if [[ $2 == -* ]]; then
        return
    fi
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$before,$word" in
            --color,* | *,-*) ;;
            *,ifaces)
                _nettool_interfaces "$2"
                return
                ;;
            *,probe)
                if [[ $3 != -* && $3 != probe ]]; then
                    COMPREPLY=($(compgen -W "common well-known registered dynamic all" -- "$2"))
                fi
                return
                ;;
            *) return ;;
        esac
        before=$word
    done
}

