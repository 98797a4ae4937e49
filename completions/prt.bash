# bash completion of prt; made by `prt completion bash`.
# Put it where bash-completion looks, or source it from ~/.bashrc.

# The words of a kind, those that only the program knows among them.
__prt_words() {
    case $1 in
        table) printf '%s\n' core module all organizations workspaces user_roles activities comments user_presence notifications productions project_tasks project_milestones events run_of_show bookings incidents personnel teams time_entries assets asset_transactions locations files companies budgets financial_transactions invoices purchase_orders approval_requests community_posts connections marketplace_orders; command prt __complete table 2>/dev/null ;;
        event) printf '%s\n' INSERT UPDATE DELETE ;;
        type) printf '%s\n' change broadcast presence status gap malformed alert conflict audit loss connection channel frame finding end ;;
        view) printf '%s\n' table board budget feed stats details presence cursors ;;
        suite) printf '%s\n' connect channel changes broadcast presence notify rls reconnect token latency load ;;
        who) printf '%s\n' anon service ;;
        shell) printf '%s\n' bash zsh fish powershell ;;
        operator) printf '%s\n' eq. neq. lt. lte. gt. gte. in. like. ilike. is. match. imatch. isdistinct. ;;
        column) command prt __complete column 2>/dev/null ;;
        profile) command prt __complete profile 2>/dev/null ;;
    esac
}

# Offers words, one a line, that go on from what stands before the last of , : = in the word.
__prt_offer() {
    local tail=${cur##*[,:=]} word
    local head=${cur%"$tail"} before=${cur%"${cur##*[:=]}"}
    COMPREPLY=()
    # Not by compgen -W, which expands its words: a name with $(…) in it would be run. A word that a shell
    # would not take as it is (an = ends the column of a filter) is left out: readline quotes none of these.
    while IFS= read -r word; do
        [[ $word == "$tail"* && -n $word && $word != *[!a-zA-Z0-9_.=*-]* ]] || continue
        # Readline replaces only what follows the last : or =.
        word=$head$word
        COMPREPLY+=("${word#"$before"}")
    done <<< "$(printf '%s\n' "$@")"
    case ${COMPREPLY[0]-} in *[=.]) compopt -o nospace 2>/dev/null ;; esac
}

__prt_kind() {
    case $1 in
        files) compopt -o default 2>/dev/null; COMPREPLY=() ;;
        filter)
            case $cur in
                *=*) __prt_offer "$(__prt_words operator)" ;;
                *) __prt_offer "$(__prt_words column | sed 's/$/=/')" ;;
            esac ;;
        table)
            case $cur in
                *:*) __prt_offer "$(__prt_words event)" ;;
                *) __prt_offer "$(__prt_words table)" ;;
            esac ;;
        *) __prt_offer "$(__prt_words "$1")" ;;
    esac
}

_prt() {
    local line=${COMP_LINE:0:COMP_POINT} cur="" prev="" path="" word value=""
    local -a typed
    set -f
    # shellcheck disable=SC2206
    typed=($line)
    set +f
    case $line in
        *[[:space:]]) ;;
        *) cur=${typed[${#typed[@]}-1]}; unset "typed[${#typed[@]}-1]" ;;
    esac
    COMPREPLY=()
    for word in "${typed[@]:1}"; do
        case "$path/$word" in
            "/watch") path="$path/watch" ;;
            "/presence") path="$path/presence" ;;
            "/notify") path="$path/notify" ;;
            "/notify/send") path="$path/send" ;;
            "/notify/read") path="$path/read" ;;
            "/test") path="$path/test" ;;
            "/audit") path="$path/audit" ;;
            "/status") path="$path/status" ;;
            "/send") path="$path/send" ;;
            "/update") path="$path/update" ;;
            "/replay") path="$path/replay" ;;
            "/tap") path="$path/tap" ;;
            "/local") path="$path/local" ;;
            "/local/up") path="$path/up" ;;
            "/local/run") path="$path/run" ;;
            "/local/status") path="$path/status" ;;
            "/local/env") path="$path/env" ;;
            "/local/token") path="$path/token" ;;
            "/local/traffic") path="$path/traffic" ;;
            "/local/reset") path="$path/reset" ;;
            "/local/stop") path="$path/stop" ;;
            "/demo") path="$path/demo" ;;
            "/init") path="$path/init" ;;
            "/config") path="$path/config" ;;
            "/help") path="$path/help" ;;
            "/skill") path="$path/skill" ;;
            "/schema") path="$path/schema" ;;
            "/completion") path="$path/completion" ;;
        esac
    done
    [ "${#typed[@]}" -gt 1 ] && prev=${typed[${#typed[@]}-1]}
    case $cur in --*=*) prev=${cur%%=*}; value=1; cur=${cur#*=} ;; esac
    case "$path $prev" in
        "/watch --schema") return ;;
        "/watch --event") __prt_kind event; return ;;
        "/watch --filter") __prt_kind filter; return ;;
        "/watch --select") __prt_kind column; return ;;
        "/watch --broadcast") return ;;
        "/watch --presence") return ;;
        "/watch --include") return ;;
        "/watch --exclude") return ;;
        "/watch -o"|"/watch --output") __prt_offer table json text; return ;;
        "/watch --template") return ;;
        "/watch --only") __prt_kind type; return ;;
        "/watch --highlight") return ;;
        "/watch --view") return ;;
        "/watch --group-by") __prt_kind column; return ;;
        "/watch --columns") return ;;
        "/watch --wip") return ;;
        "/watch --sort") __prt_kind column; return ;;
        "/watch --plan") return ;;
        "/watch --alert") return ;;
        "/watch --fail-on-alert") return ;;
        "/watch --exec") return ;;
        "/watch --metrics") return ;;
        "/watch --canary") return ;;
        "/watch --keep") return ;;
        "/watch --batch") return ;;
        "/watch --record") __prt_kind files; return ;;
        "/watch --export") return ;;
        "/watch -n"|"/watch --count") return ;;
        "/watch --duration") return ;;
        "/watch --idle") return ;;
        "/watch --timeout") return ;;
        "/watch --expect") return ;;
        "/watch --since") return ;;
        "/watch --cursor") __prt_kind column; return ;;
        "/watch --key") __prt_kind column; return ;;
        "/watch --replay") return ;;
        "/watch --max-reconnects") return ;;
        "/watch --url") return ;;
        "/watch --as") __prt_kind who; return ;;
        "/watch --profile") __prt_kind profile; return ;;
        "/presence --track") return ;;
        "/presence --key") return ;;
        "/presence --columns") __prt_kind column; return ;;
        "/presence -o"|"/presence --output") __prt_offer table json text; return ;;
        "/presence --template") return ;;
        "/presence --only") __prt_kind type; return ;;
        "/presence --expect-key") return ;;
        "/presence --min") return ;;
        "/presence -n"|"/presence --count") return ;;
        "/presence --duration") return ;;
        "/presence --idle") return ;;
        "/presence --timeout") return ;;
        "/presence --max-reconnects") return ;;
        "/presence --url") return ;;
        "/presence --as") __prt_kind who; return ;;
        "/presence --profile") __prt_kind profile; return ;;
        "/notify --user") return ;;
        "/notify --table") __prt_kind table; return ;;
        "/notify --schema") return ;;
        "/notify --user-column") __prt_kind column; return ;;
        "/notify --exec") return ;;
        "/notify --include") return ;;
        "/notify --exclude") return ;;
        "/notify -o"|"/notify --output") __prt_offer table json text; return ;;
        "/notify --template") return ;;
        "/notify --only") __prt_kind type; return ;;
        "/notify --highlight") return ;;
        "/notify --record") __prt_kind files; return ;;
        "/notify -n"|"/notify --count") return ;;
        "/notify --duration") return ;;
        "/notify --idle") return ;;
        "/notify --timeout") return ;;
        "/notify --expect") return ;;
        "/notify --since") return ;;
        "/notify --cursor") __prt_kind column; return ;;
        "/notify --key") __prt_kind column; return ;;
        "/notify --max-reconnects") return ;;
        "/notify --url") return ;;
        "/notify --as") __prt_kind who; return ;;
        "/notify --profile") __prt_kind profile; return ;;
        "/notify/send --title") return ;;
        "/notify/send --message") return ;;
        "/notify/send --type") return ;;
        "/notify/send --set") return ;;
        "/notify/send --user") return ;;
        "/notify/send --table") __prt_kind table; return ;;
        "/notify/send --schema") return ;;
        "/notify/send --user-column") __prt_kind column; return ;;
        "/notify/send --timeout") return ;;
        "/notify/send --url") return ;;
        "/notify/send --as") __prt_kind who; return ;;
        "/notify/send --profile") __prt_kind profile; return ;;
        "/notify/read --user") return ;;
        "/notify/read --table") __prt_kind table; return ;;
        "/notify/read --schema") return ;;
        "/notify/read --user-column") __prt_kind column; return ;;
        "/notify/read --url") return ;;
        "/notify/read --as") __prt_kind who; return ;;
        "/notify/read --profile") __prt_kind profile; return ;;
        "/test --require") __prt_kind suite; return ;;
        "/test --table") return ;;
        "/test --marker") __prt_kind column; return ;;
        "/test --stranger") return ;;
        "/test --private-topic") return ;;
        "/test --repeat") return ;;
        "/test --wait") return ;;
        "/test --contract") __prt_kind files; return ;;
        "/test --write-contract") __prt_kind files; return ;;
        "/test --samples") return ;;
        "/test --clients") return ;;
        "/test --rate") return ;;
        "/test --duration") return ;;
        "/test --limit") __prt_offer free pro no-cap none; return ;;
        "/test --max-lag") return ;;
        "/test --min-delivery") return ;;
        "/test --junit") __prt_kind files; return ;;
        "/test --report") __prt_kind files; return ;;
        "/test -o"|"/test --output") __prt_offer table json text; return ;;
        "/test --url") return ;;
        "/test --as") __prt_kind who; return ;;
        "/test --profile") __prt_kind profile; return ;;
        "/audit --schema") return ;;
        "/audit --filter") __prt_kind filter; return ;;
        "/audit --duration") return ;;
        "/audit --late-after") return ;;
        "/audit --min-delivery") return ;;
        "/audit --max-wal") return ;;
        "/audit --url") return ;;
        "/audit --as") __prt_kind who; return ;;
        "/audit --profile") __prt_kind profile; return ;;
        "/status --schema") return ;;
        "/status --event") __prt_kind event; return ;;
        "/status --filter") __prt_kind filter; return ;;
        "/status --select") __prt_kind column; return ;;
        "/status --topic") return ;;
        "/status --plan") return ;;
        "/status --duration") return ;;
        "/status --format") __prt_offer text json nagios prometheus; return ;;
        "/status --bundle") return ;;
        "/status --url") return ;;
        "/status --as") __prt_kind who; return ;;
        "/status --profile") __prt_kind profile; return ;;
        "/send --rate") return ;;
        "/send --repeat") return ;;
        "/send --ttl") return ;;
        "/send --timeout") return ;;
        "/send --url") return ;;
        "/send --as") __prt_kind who; return ;;
        "/send --profile") __prt_kind profile; return ;;
        "/update --if") return ;;
        "/update --timeout") return ;;
        "/update -o"|"/update --output") __prt_offer table json text; return ;;
        "/update --template") return ;;
        "/update --only") __prt_kind type; return ;;
        "/update --export") return ;;
        "/update --url") return ;;
        "/update --as") __prt_kind who; return ;;
        "/update --profile") __prt_kind profile; return ;;
        "/replay --speed") return ;;
        "/replay --from") return ;;
        "/replay --to") return ;;
        "/replay --include") return ;;
        "/replay --exclude") return ;;
        "/replay -o"|"/replay --output") __prt_offer table json text; return ;;
        "/replay --template") return ;;
        "/replay --only") __prt_kind type; return ;;
        "/replay --highlight") return ;;
        "/replay --view") return ;;
        "/replay --group-by") __prt_kind column; return ;;
        "/replay --columns") return ;;
        "/replay --wip") return ;;
        "/replay --sort") __prt_kind column; return ;;
        "/replay --plan") return ;;
        "/replay --alert") return ;;
        "/replay --fail-on-alert") return ;;
        "/replay --keep") return ;;
        "/replay --batch") return ;;
        "/replay --export") return ;;
        "/replay -n"|"/replay --count") return ;;
        "/replay --expect") return ;;
        "/tap --port") return ;;
        "/tap --command-log") __prt_kind files; return ;;
        "/tap -o"|"/tap --output") __prt_offer table json text; return ;;
        "/tap --only") __prt_kind type; return ;;
        "/tap --record") __prt_kind files; return ;;
        "/tap --duration") return ;;
        "/tap --cut") return ;;
        "/tap --delay") return ;;
        "/tap --refuse") return ;;
        "/tap --drop-changes") return ;;
        "/tap --fault-at") return ;;
        "/tap --fault-for") return ;;
        "/tap --chaos-seed") return ;;
        "/tap --expect-recovery") return ;;
        "/tap --url") return ;;
        "/tap --profile") __prt_kind profile; return ;;
        "/local/up --port") return ;;
        "/local/up --data-dir") __prt_kind files; return ;;
        "/local/up --migrations") __prt_kind files; return ;;
        "/local/up --rate") return ;;
        "/local/up --plan") return ;;
        "/local/up --poll") return ;;
        "/local/up --signing-key") return ;;
        "/local/run --port") return ;;
        "/local/run --data-dir") __prt_kind files; return ;;
        "/local/run --migrations") __prt_kind files; return ;;
        "/local/run --rate") return ;;
        "/local/run --plan") return ;;
        "/local/run --poll") return ;;
        "/local/run --signing-key") return ;;
        "/local/status --port") return ;;
        "/local/status --data-dir") __prt_kind files; return ;;
        "/local/env --format") __prt_offer export dotenv json github; return ;;
        "/local/env --port") return ;;
        "/local/env --data-dir") __prt_kind files; return ;;
        "/local/token --role") return ;;
        "/local/token --sub") return ;;
        "/local/token --claim") return ;;
        "/local/token --expires") return ;;
        "/local/token --port") return ;;
        "/local/token --data-dir") __prt_kind files; return ;;
        "/local/traffic --rate") return ;;
        "/local/traffic --seed") return ;;
        "/local/traffic --port") return ;;
        "/local/traffic --data-dir") __prt_kind files; return ;;
        "/local/reset --port") return ;;
        "/local/reset --data-dir") __prt_kind files; return ;;
        "/local/stop --port") return ;;
        "/local/stop --data-dir") __prt_kind files; return ;;
        "/demo --rate") return ;;
        "/demo --seed") return ;;
        "/demo -o"|"/demo --output") __prt_offer table json text; return ;;
        "/demo --template") return ;;
        "/demo --only") __prt_kind type; return ;;
        "/demo --highlight") return ;;
        "/demo --view") return ;;
        "/demo --keep") return ;;
        "/demo --batch") return ;;
        "/demo --record") __prt_kind files; return ;;
        "/demo --export") return ;;
        "/demo -n"|"/demo --count") return ;;
        "/demo --duration") return ;;
        "/demo --idle") return ;;
        "/demo --timeout") return ;;
        "/init --name") return ;;
        "/init --url") return ;;
        "/config --url") return ;;
        "/config --as") __prt_kind who; return ;;
        "/config --profile") __prt_kind profile; return ;;
    esac
    [ -n "$value" ] && return
    case "$path" in
        "")
            case $cur in
                -*) __prt_offer -V --version -h --help ;;
                *) __prt_offer watch presence notify test audit status send update replay tap local demo init config help skill schema completion ;;
            esac ;;
        "/watch")
            case $cur in
                -*) __prt_offer --schema --event --filter --select --broadcast --presence --private --include --exclude --json -o --output --template --only --highlight --view --group-by --columns --wip --sort --plan --details --once --alert --fail-on-alert --bell --exec --metrics --canary --allow-writes --keep --edit --batch --record --export -q --quiet --no-color -n --count --duration --idle --timeout --agent --expect --backfill --no-backfill --verify --no-verify --snapshot --since --cursor --key --replay --reconnect --no-reconnect --max-reconnects --wait-for-server --url --local --as --profile --debug -h --help ;;
                *) __prt_kind table ;;
            esac ;;
        "/presence")
            case $cur in
                -*) __prt_offer --track --key --private --columns --once --json -o --output --template --only -q --quiet --no-color --expect-key --min -n --count --duration --idle --timeout --agent --reconnect --no-reconnect --max-reconnects --wait-for-server --url --local --as --profile --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/notify")
            case $cur in
                -*) __prt_offer --user --table --schema --user-column --snapshot --bell --exec --include --exclude --json -o --output --template --only --highlight --record -q --quiet --no-color -n --count --duration --idle --timeout --agent --expect --backfill --no-backfill --since --cursor --key --edit --reconnect --no-reconnect --max-reconnects --wait-for-server --url --local --as --profile --debug -h --help ;;
                *) __prt_offer send read ;;
            esac ;;
        "/notify/send")
            case $cur in
                -*) __prt_offer --title --message --type --set --user --table --schema --user-column --timeout --no-wait --json -q --quiet --url --local --as --profile --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/notify/read")
            case $cur in
                -*) __prt_offer --all --user --table --schema --user-column --json -q --quiet --url --local --as --profile --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/test")
            case $cur in
                -*) __prt_offer --list --clean --require --allow-writes --table --marker --stranger --private-topic --repeat --wait --contract --write-contract --samples --clients --rate --duration --limit --max-lag --min-delivery --junit --report --json -o --output -q --quiet --no-color --url --local --as --profile --debug -h --help ;;
                *) __prt_kind suite ;;
            esac ;;
        "/audit")
            case $cur in
                -*) __prt_offer --schema --filter --duration --late-after --min-delivery --allow-slot --max-wal --json -q --quiet --no-color --url --local --as --profile --debug -h --help ;;
                *) __prt_kind table ;;
            esac ;;
        "/status")
            case $cur in
                -*) __prt_offer --schema --event --filter --select --private --topic --strict -w --watch --plan --duration --agent --json --format --bundle --no-color --url --local --as --profile --debug -h --help ;;
                *) __prt_kind table ;;
            esac ;;
        "/send")
            case $cur in
                -*) __prt_offer --private --http --rate --repeat --persist --ttl --timeout --json -q --quiet --url --local --as --profile --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/update")
            case $cur in
                -*) __prt_offer --if --timeout --json -o --output --template --only --export -q --quiet --no-color --url --local --as --profile --debug -h --help ;;
                *) __prt_kind table ;;
            esac ;;
        "/replay")
            case $cur in
                -*) __prt_offer --speed --from --to --include --exclude --json -o --output --template --only --highlight --view --group-by --columns --wip --sort --plan --details --once --alert --fail-on-alert --keep --batch --export -q --quiet --no-color -n --count --expect --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/tap")
            case $cur in
                -*) __prt_offer --port --view --command-log --frames --json -o --output --only --record -q --quiet --no-color --duration --cut --delay --half-open --refuse --expire-token --drop-changes --fault-at --fault-for --chaos-seed --expect-recovery --url --local --profile --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/local")
            case $cur in
                -*) __prt_offer -h --help ;;
                *) __prt_offer up run status env token traffic reset stop ;;
            esac ;;
        "/local/up")
            case $cur in
                -*) __prt_offer --port --data-dir --migrations --no-seed --traffic --rate --plan --poll --like-hosted --like-cli --signing-key --anonymous-sign-ins --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/local/run")
            case $cur in
                -*) __prt_offer --port --data-dir --migrations --no-seed --traffic --rate --plan --poll --like-hosted --like-cli --signing-key --anonymous-sign-ins --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/local/status")
            case $cur in
                -*) __prt_offer --port --data-dir --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/local/env")
            case $cur in
                -*) __prt_offer --format --port --data-dir --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/local/token")
            case $cur in
                -*) __prt_offer --role --sub --claim --expires --port --data-dir --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/local/traffic")
            case $cur in
                -*) __prt_offer --rate --seed --port --data-dir --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/local/reset")
            case $cur in
                -*) __prt_offer --port --data-dir --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/local/stop")
            case $cur in
                -*) __prt_offer --port --data-dir --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/demo")
            case $cur in
                -*) __prt_offer --rate --seed --json -o --output --template --only --highlight --view --keep --edit --batch --verify --no-verify --record --export --no-color -n --count --duration --idle --timeout --agent --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/init")
            case $cur in
                -*) __prt_offer --name -y --yes --own --url --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/config")
            case $cur in
                -*) __prt_offer --json --url --as --profile --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/help")
            case $cur in
                -*) __prt_offer --json --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/skill")
            case $cur in
                -*) __prt_offer --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/schema")
            case $cur in
                -*) __prt_offer --markdown --debug -h --help ;;
                *) __prt_kind files ;;
            esac ;;
        "/completion")
            case $cur in
                -*) __prt_offer --debug -h --help ;;
                *) __prt_offer bash zsh fish powershell ;;
            esac ;;
    esac
}

complete -F _prt prt
