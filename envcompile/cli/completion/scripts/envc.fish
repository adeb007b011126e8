# Completion of envc for fish 3.2 and later.
function __envc_complete
    set -l lines (_ENVC_COMPLETE=fish _ENVC_COMPLETE_LINE=(commandline -cp | string collect) envc 2>/dev/null)
    if string match -q ':files*' -- $lines[1]
        __fish_complete_path (commandline -ct | string unescape)
    else
        printf '%s\n' $lines
    end
end
complete --command envc --no-files --keep-order --arguments '(__envc_complete)'
