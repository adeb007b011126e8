# Completion of envc for bash 3.2 and later.
_envc() {
    local value
    COMPREPLY=()
    while IFS= read -r value; do
        COMPREPLY+=("$value")
    done < <(_ENVC_COMPLETE=bash COMP_LINE="$COMP_LINE" COMP_POINT="$COMP_POINT" "${1/#\~/$HOME}" 2>/dev/null)
}
complete -o default -o nospace -F _envc envc
