#compdef envc
# Completion of envc for zsh: load it with `source`, or as `_envc` from a folder of `fpath`.
_envc() {
    local value about files=''
    local -a finished finished_shown open open_shown
    while IFS=$'\t' read -r value about; do
        if [[ $value == :files ]]; then
            files=1
        elif [[ $value == *[./=#\[,] ]]; then
            open+=("$value") open_shown+=("$value${about:+  -- $about}")
        else
            finished+=("$value") finished_shown+=("$value${about:+  -- $about}")
        fi
    done < <(_ENVC_COMPLETE=zsh _ENVC_COMPLETE_LINE="${(j: :)words[1,CURRENT-1]} $PREFIX" "${words[1]/#\~/$HOME}" 2>/dev/null)
    (( $#finished )) && compadd -l -V values -d finished_shown -a finished
    (( $#open )) && compadd -V parts -S '' -d open_shown -a open
    [[ -n $files ]] && _files
}
if [[ $funcstack[1] == _envc ]]; then
    _envc "$@"
else
    compdef _envc envc
fi
