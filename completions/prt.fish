# fish completion of prt; made by `prt completion fish`.
# Put it into ~/.config/fish/completions/prt.fish.

# Which command the line is in: its words, joined by /.
function __prt_path
    set -l path ""
    for word in (commandline -opc)[2..-1]
        switch "$path/$word"
            case /watch
                set path /watch
            case /presence
                set path /presence
            case /notify
                set path /notify
            case /notify/send
                set path /notify/send
            case /notify/read
                set path /notify/read
            case /test
                set path /test
            case /status
                set path /status
            case /send
                set path /send
            case /update
                set path /update
            case /replay
                set path /replay
            case /local
                set path /local
            case /local/up
                set path /local/up
            case /local/run
                set path /local/run
            case /local/status
                set path /local/status
            case /local/env
                set path /local/env
            case /local/token
                set path /local/token
            case /local/traffic
                set path /local/traffic
            case /local/reset
                set path /local/reset
            case /local/stop
                set path /local/stop
            case /demo
                set path /demo
            case /init
                set path /init
            case /config
                set path /config
            case /help
                set path /help
            case /schema
                set path /schema
            case /completion
                set path /completion
        end
    end
    echo "$path"
end

function __prt_in
    test (__prt_path) = "$argv[1]"
end

function __prt_words
    switch $argv[1]
        case table
            printf '%s\n' core module all organizations workspaces user_roles activities comments user_presence notifications productions project_tasks project_milestones events run_of_show bookings incidents personnel teams time_entries assets asset_transactions locations files companies budgets financial_transactions invoices purchase_orders approval_requests community_posts connections marketplace_orders
            command prt __complete table 2>/dev/null
        case event
            printf '%s\n' INSERT UPDATE DELETE
        case type
            printf '%s\n' change broadcast presence status gap malformed alert conflict end
        case view
            printf '%s\n' table board budget feed stats details presence cursors
        case suite
            printf '%s\n' connect channel changes broadcast presence notify rls reconnect token latency load
        case who
            printf '%s\n' anon service
        case shell
            printf '%s\n' bash zsh fish powershell
        case operator
            printf '%s\n' eq. neq. lt. lte. gt. gte. in. like. ilike. is. match. imatch. isdistinct.
        case column
            command prt __complete column 2>/dev/null
        case profile
            command prt __complete profile 2>/dev/null
    end
end

# Words that go on from what stands before the last of , : = in the word.
function __prt_offer
    set -l token (commandline -ct | string replace -r '^--[a-z-]+=' '')
    set -l head (string match -r '^.*[,:=]' -- $token)
    for word in $argv
        echo "$head$word"
    end
end

function __prt_kind
    set -l token (commandline -ct | string replace -r '^--[a-z-]+=' '')
    switch $argv[1]
        case filter
            if string match -q '*=*' -- $token
                __prt_offer (__prt_words operator)
            else
                __prt_offer (__prt_words column)=
            end
        case table
            if string match -q '*:*' -- $token
                __prt_offer (__prt_words event)
            else
                __prt_offer (__prt_words table)
            end
        case '*'
            __prt_offer (__prt_words $argv[1])
    end
end

complete -c prt -f
complete -c prt -n '__prt_in ""' -a watch -d 'Live changes of tables and topics: a view on a terminal, NDJSON in a pipe.'
complete -c prt -n '__prt_in ""' -a presence -d 'Who is online on a topic: the roster, and who joins, leaves and changes.'
complete -c prt -n '__prt_in ""' -a notify -d 'Live notifications of a user: toasts on a terminal, NDJSON in a pipe.'
complete -c prt -n '__prt_in ""' -a test -d 'Prove a project\'s realtime: a live table on a terminal, NDJSON in a pipe.'
complete -c prt -n '__prt_in ""' -a status -d 'Every layer from here to a live table: its state, its figure, its remedy.'
complete -c prt -n '__prt_in ""' -a send -d 'Send a broadcast: a cursor move, say.'
complete -c prt -n '__prt_in ""' -a update -d 'Write a row: shown at once, committed, confirmed by its own realtime echo.'
complete -c prt -n '__prt_in ""' -a replay -d 'Play a recording: the views, lines and expectations of prt watch.'
complete -c prt -n '__prt_in ""' -a local -d 'The embedded Supabase: a real PostgreSQL, Realtime, REST and Auth on one port of 127.0.0.1.'
complete -c prt -n '__prt_in ""' -a demo -d 'See it all: an embedded project, simulated traffic, a live view.'
complete -c prt -n '__prt_in ""' -a init -d 'Write a profile into prt.toml, by asking or from what a folder says.'
complete -c prt -n '__prt_in ""' -a config -d 'What is in force, and where each value came from; secrets are never shown.'
complete -c prt -n '__prt_in ""' -a help -d 'Show a page of the manual, or the help of a command; without a topic, list them.'
complete -c prt -n '__prt_in ""' -a schema -d 'What a line of NDJSON holds, as JSON Schema.'
complete -c prt -n '__prt_in ""' -a completion -d 'The script that lets a shell complete prt\'s words at TAB.'
complete -c prt -n '__prt_in ""' -s V -l version -d 'Show the versions.'
complete -c prt -n '__prt_in ""' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in ""' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/watch"' -a '(__prt_kind table)'
complete -c prt -n '__prt_in "/watch"' -l schema -x -d 'Of tables without one.'
complete -c prt -n '__prt_in "/watch"' -l event -x -a '(__prt_kind event)' -d 'INSERT, UPDATE, DELETE; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l filter -x -a '(__prt_kind filter)' -d 'On the server: status=eq.open; several: AND.'
complete -c prt -n '__prt_in "/watch"' -l select -x -a '(__prt_kind column)' -d 'Only these columns.'
complete -c prt -n '__prt_in "/watch"' -l broadcast -x -d 'What is sent there; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l presence -x -d 'Who is there; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l private -d 'A private topic: policies on realtime.messages.'
complete -c prt -n '__prt_in "/watch"' -l include -x -d 'Keep events whose JSON has it.'
complete -c prt -n '__prt_in "/watch"' -l exclude -x -d 'Leave them out.'
complete -c prt -n '__prt_in "/watch"' -l json -d 'NDJSON; the default in a pipe.'
complete -c prt -n '__prt_in "/watch"' -s o -l output -x -a 'table json text' -d 'The form, whatever stdout is.'
complete -c prt -n '__prt_in "/watch"' -l template -x -d 'A line an event: \'{table} {new[id]}\'.'
complete -c prt -n '__prt_in "/watch"' -l only -x -a '(__prt_kind type)' -d 'Keep these types of lines.'
complete -c prt -n '__prt_in "/watch"' -l highlight -x -d 'Mark it in the view.'
complete -c prt -n '__prt_in "/watch"' -l view -x -d 'table, board, budget, feed, stats, presence, cursors.'
complete -c prt -n '__prt_in "/watch"' -l group-by -x -a '(__prt_kind column)' -d 'The board\'s columns [status].'
complete -c prt -n '__prt_in "/watch"' -l columns -x -d 'Their order on the board.'
complete -c prt -n '__prt_in "/watch"' -l wip -x -d 'A column\'s limit; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l sort -x -a '(__prt_kind column)' -d 'Of the rows of --snapshot; -COL descends.'
complete -c prt -n '__prt_in "/watch"' -l plan -x -d 'stats: free, pro, no-cap; its limit.'
complete -c prt -n '__prt_in "/watch"' -l details -d 'The last change, both sides.'
complete -c prt -n '__prt_in "/watch"' -l once -d 'Show what there is, and end.'
complete -c prt -n '__prt_in "/watch"' -l alert -x -d '\'[TABLE:]spent/amount>=0.8:warn\'; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l fail-on-alert -x -d 'Exit 1 where one was as severe.'
complete -c prt -n '__prt_in "/watch"' -l bell -d 'Ring the terminal\'s bell.'
complete -c prt -n '__prt_in "/watch"' -l exec -x -d 'Run it, the alert\'s JSON on stdin.'
complete -c prt -n '__prt_in "/watch"' -l batch -x -d 'A row\'s changes as one, each MS.'
complete -c prt -n '__prt_in "/watch"' -l record -r -F -d 'All that comes, for prt replay.'
complete -c prt -n '__prt_in "/watch"' -l export -x -d 'Draw the last screen.'
complete -c prt -n '__prt_in "/watch"' -s q -l quiet -d 'No notices on stderr.'
complete -c prt -n '__prt_in "/watch"' -l no-color -d 'No colours.'
complete -c prt -n '__prt_in "/watch"' -s n -l count -x -d 'End after N live events.'
complete -c prt -n '__prt_in "/watch"' -l duration -x -d 'End after 30s, 5m, 1h.'
complete -c prt -n '__prt_in "/watch"' -l idle -x -d 'End after such a pause.'
complete -c prt -n '__prt_in "/watch"' -l timeout -x -d 'Exit 124 when what is waited for isn\'t there.'
complete -c prt -n '__prt_in "/watch"' -l expect -x -d '\'INSERT tasks title=x\': end when it came.'
complete -c prt -n '__prt_in "/watch"' -l backfill -l no-backfill -d 'After a gap: read what changed over REST.'
complete -c prt -n '__prt_in "/watch"' -l snapshot -d 'Load the present rows first.'
complete -c prt -n '__prt_in "/watch"' -l since -x -d 'Begin 5m ago, or at a timestamp.'
complete -c prt -n '__prt_in "/watch"' -l cursor -x -a '(__prt_kind column)' -d 'When a row changed; else updated_at.'
complete -c prt -n '__prt_in "/watch"' -l key -x -a '(__prt_kind column)' -d 'A table\'s key, where the wire doesn\'t tell.'
complete -c prt -n '__prt_in "/watch"' -l replay -x -d 'Private broadcasts of before.'
complete -c prt -n '__prt_in "/watch"' -l reconnect -l no-reconnect -d 'After a loss: go on, or exit 4.'
complete -c prt -n '__prt_in "/watch"' -l max-reconnects -x -d 'Exit 4 after so many.'
complete -c prt -n '__prt_in "/watch"' -l wait-for-server -d 'Go on trying a server that isn\'t up.'
complete -c prt -n '__prt_in "/watch"' -l url -x -d 'The project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/watch"' -l local -d 'The embedded project, running or fresh.'
complete -c prt -n '__prt_in "/watch"' -l as -x -a '(__prt_kind who)' -d 'anon, service, an email [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/watch"' -l profile -x -a '(__prt_kind profile)' -d 'A profile of prt.toml.'
complete -c prt -n '__prt_in "/watch"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/watch"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/presence"' -l track -x -d 'Be there too, with this or JSON; repeatable.'
complete -c prt -n '__prt_in "/presence"' -l key -x -d 'Our own on the roster.'
complete -c prt -n '__prt_in "/presence"' -l private -d 'A private topic: policies on realtime.messages.'
complete -c prt -n '__prt_in "/presence"' -l columns -x -a '(__prt_kind column)' -d 'What to show of each, in this order.'
complete -c prt -n '__prt_in "/presence"' -l once -d 'Print who is there, and end.'
complete -c prt -n '__prt_in "/presence"' -l json -d 'NDJSON; the default in a pipe.'
complete -c prt -n '__prt_in "/presence"' -s o -l output -x -a 'table json text' -d 'The form, whatever stdout is.'
complete -c prt -n '__prt_in "/presence"' -l template -x -d 'A line an event: \'{table} {new[id]}\'.'
complete -c prt -n '__prt_in "/presence"' -l only -x -a '(__prt_kind type)' -d 'Keep these types of lines.'
complete -c prt -n '__prt_in "/presence"' -s q -l quiet -d 'No notices on stderr.'
complete -c prt -n '__prt_in "/presence"' -l no-color -d 'No colours.'
complete -c prt -n '__prt_in "/presence"' -l expect-key -x -d 'Exit 0 once it is online; repeatable.'
complete -c prt -n '__prt_in "/presence"' -l min -x -d 'Exit 0 once N are online.'
complete -c prt -n '__prt_in "/presence"' -s n -l count -x -d 'End after N joins, leaves, updates; no syncs.'
complete -c prt -n '__prt_in "/presence"' -l duration -x -d 'End after 30s, 5m, 1h.'
complete -c prt -n '__prt_in "/presence"' -l idle -x -d 'End after such a pause.'
complete -c prt -n '__prt_in "/presence"' -l timeout -x -d 'Exit 124 when what is waited for isn\'t there.'
complete -c prt -n '__prt_in "/presence"' -l reconnect -l no-reconnect -d 'After a loss: go on, or exit 4.'
complete -c prt -n '__prt_in "/presence"' -l max-reconnects -x -d 'Exit 4 after so many.'
complete -c prt -n '__prt_in "/presence"' -l wait-for-server -d 'Go on trying a server that isn\'t up.'
complete -c prt -n '__prt_in "/presence"' -l url -x -d 'The project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/presence"' -l local -d 'The embedded project, running or fresh.'
complete -c prt -n '__prt_in "/presence"' -l as -x -a '(__prt_kind who)' -d 'anon, service, an email [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/presence"' -l profile -x -a '(__prt_kind profile)' -d 'A profile of prt.toml.'
complete -c prt -n '__prt_in "/presence"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/presence"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/notify"' -a send -d 'Write a notification, and wait until it comes back over Realtime.'
complete -c prt -n '__prt_in "/notify"' -a read -d 'Mark notifications as read, over REST.'
complete -c prt -n '__prt_in "/notify"' -l user -x -d 'Else the session\'s own.'
complete -c prt -n '__prt_in "/notify"' -l table -x -a '(__prt_kind table)' -d 'Where they are rows.'
complete -c prt -n '__prt_in "/notify"' -l schema -x -d 'Of tables without one.'
complete -c prt -n '__prt_in "/notify"' -l user-column -x -a '(__prt_kind column)' -d 'Whose a row is.'
complete -c prt -n '__prt_in "/notify"' -l snapshot -d 'Load the present rows first.'
complete -c prt -n '__prt_in "/notify"' -l bell -d 'Ring the terminal\'s bell.'
complete -c prt -n '__prt_in "/notify"' -l exec -x -d 'Run it, the event\'s JSON on stdin.'
complete -c prt -n '__prt_in "/notify"' -l include -x -d 'Keep events whose JSON has it.'
complete -c prt -n '__prt_in "/notify"' -l exclude -x -d 'Leave them out.'
complete -c prt -n '__prt_in "/notify"' -l json -d 'NDJSON; the default in a pipe.'
complete -c prt -n '__prt_in "/notify"' -s o -l output -x -a 'table json text' -d 'The form, whatever stdout is.'
complete -c prt -n '__prt_in "/notify"' -l template -x -d 'A line an event: \'{table} {new[id]}\'.'
complete -c prt -n '__prt_in "/notify"' -l only -x -a '(__prt_kind type)' -d 'Keep these types of lines.'
complete -c prt -n '__prt_in "/notify"' -l highlight -x -d 'Mark it in the view.'
complete -c prt -n '__prt_in "/notify"' -l record -r -F -d 'All that comes, for prt replay.'
complete -c prt -n '__prt_in "/notify"' -s q -l quiet -d 'No notices on stderr.'
complete -c prt -n '__prt_in "/notify"' -l no-color -d 'No colours.'
complete -c prt -n '__prt_in "/notify"' -s n -l count -x -d 'End after N live events.'
complete -c prt -n '__prt_in "/notify"' -l duration -x -d 'End after 30s, 5m, 1h.'
complete -c prt -n '__prt_in "/notify"' -l idle -x -d 'End after such a pause.'
complete -c prt -n '__prt_in "/notify"' -l timeout -x -d 'Exit 124 when what is waited for isn\'t there.'
complete -c prt -n '__prt_in "/notify"' -l expect -x -d '\'INSERT tasks title=x\': end when it came.'
complete -c prt -n '__prt_in "/notify"' -l backfill -l no-backfill -d 'After a gap: read what changed over REST.'
complete -c prt -n '__prt_in "/notify"' -l since -x -d 'Begin 5m ago, or at a timestamp.'
complete -c prt -n '__prt_in "/notify"' -l cursor -x -a '(__prt_kind column)' -d 'When a row changed; else updated_at.'
complete -c prt -n '__prt_in "/notify"' -l key -x -a '(__prt_kind column)' -d 'A table\'s key, where the wire doesn\'t tell.'
complete -c prt -n '__prt_in "/notify"' -l reconnect -l no-reconnect -d 'After a loss: go on, or exit 4.'
complete -c prt -n '__prt_in "/notify"' -l max-reconnects -x -d 'Exit 4 after so many.'
complete -c prt -n '__prt_in "/notify"' -l wait-for-server -d 'Go on trying a server that isn\'t up.'
complete -c prt -n '__prt_in "/notify"' -l url -x -d 'The project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/notify"' -l local -d 'The embedded project, running or fresh.'
complete -c prt -n '__prt_in "/notify"' -l as -x -a '(__prt_kind who)' -d 'anon, service, an email [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/notify"' -l profile -x -a '(__prt_kind profile)' -d 'A profile of prt.toml.'
complete -c prt -n '__prt_in "/notify"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/notify"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/notify/send"' -l title -x -d 'Its title.'
complete -c prt -n '__prt_in "/notify/send"' -l message -x -d 'Its text.'
complete -c prt -n '__prt_in "/notify/send"' -l type -x -d 'info, success, …'
complete -c prt -n '__prt_in "/notify/send"' -l set -x -d 'Any other column; repeatable.'
complete -c prt -n '__prt_in "/notify/send"' -l user -x -d 'Else the session\'s own.'
complete -c prt -n '__prt_in "/notify/send"' -l table -x -a '(__prt_kind table)' -d 'Where they are rows.'
complete -c prt -n '__prt_in "/notify/send"' -l schema -x -d 'Of tables without one.'
complete -c prt -n '__prt_in "/notify/send"' -l user-column -x -a '(__prt_kind column)' -d 'Whose a row is.'
complete -c prt -n '__prt_in "/notify/send"' -l timeout -x -d 'Exit 1 without an echo in that time.'
complete -c prt -n '__prt_in "/notify/send"' -l no-wait -d 'Write it, and wait for no echo.'
complete -c prt -n '__prt_in "/notify/send"' -l json -d 'JSON; the default in a pipe.'
complete -c prt -n '__prt_in "/notify/send"' -s q -l quiet -d 'No notices on stderr.'
complete -c prt -n '__prt_in "/notify/send"' -l url -x -d 'The project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/notify/send"' -l local -d 'The embedded project, running or fresh.'
complete -c prt -n '__prt_in "/notify/send"' -l as -x -a '(__prt_kind who)' -d 'anon, service, an email [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/notify/send"' -l profile -x -a '(__prt_kind profile)' -d 'A profile of prt.toml.'
complete -c prt -n '__prt_in "/notify/send"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/notify/send"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/notify/read"' -l all -d 'All that are unread.'
complete -c prt -n '__prt_in "/notify/read"' -l user -x -d 'Else the session\'s own.'
complete -c prt -n '__prt_in "/notify/read"' -l table -x -a '(__prt_kind table)' -d 'Where they are rows.'
complete -c prt -n '__prt_in "/notify/read"' -l schema -x -d 'Of tables without one.'
complete -c prt -n '__prt_in "/notify/read"' -l user-column -x -a '(__prt_kind column)' -d 'Whose a row is.'
complete -c prt -n '__prt_in "/notify/read"' -l json -d 'JSON; the default in a pipe.'
complete -c prt -n '__prt_in "/notify/read"' -s q -l quiet -d 'No notices on stderr.'
complete -c prt -n '__prt_in "/notify/read"' -l url -x -d 'The project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/notify/read"' -l local -d 'The embedded project, running or fresh.'
complete -c prt -n '__prt_in "/notify/read"' -l as -x -a '(__prt_kind who)' -d 'anon, service, an email [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/notify/read"' -l profile -x -a '(__prt_kind profile)' -d 'A profile of prt.toml.'
complete -c prt -n '__prt_in "/notify/read"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/notify/read"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/test"' -a '(__prt_kind suite)'
complete -c prt -n '__prt_in "/test"' -l list -d 'The suites and what each needs.'
complete -c prt -n '__prt_in "/test"' -l clean -d 'Only remove rows of test runs.'
complete -c prt -n '__prt_in "/test"' -l require -x -a '(__prt_kind suite)' -d 'A skip in it is a failure.'
complete -c prt -n '__prt_in "/test"' -l allow-writes -d 'Also where others may see them.'
complete -c prt -n '__prt_in "/test"' -l table -x -d 'Where rows are made.'
complete -c prt -n '__prt_in "/test"' -l marker -x -a '(__prt_kind column)' -d 'Its text column for the mark.'
complete -c prt -n '__prt_in "/test"' -l stranger -x -d 'A second user [PRT_STRANGER_PASSWORD].'
complete -c prt -n '__prt_in "/test"' -l private-topic -x -d 'One that we may use.'
complete -c prt -n '__prt_in "/test"' -l repeat -x -d 'Run all N times.'
complete -c prt -n '__prt_in "/test"' -l wait -x -d 'For what must come, at most.'
complete -c prt -n '__prt_in "/test"' -l samples -x -d 'Rows of latency.'
complete -c prt -n '__prt_in "/test"' -l clients -x -d 'Subscribers of load.'
complete -c prt -n '__prt_in "/test"' -l rate -x -d 'Rows a second.'
complete -c prt -n '__prt_in "/test"' -l duration -x -d 'Of load, ramp and all.'
complete -c prt -n '__prt_in "/test"' -l limit -x -a 'free pro no-cap none' -d 'Load stops at its limit.'
complete -c prt -n '__prt_in "/test"' -l max-lag -x -d 'p50, p95, p99, max; repeatable.'
complete -c prt -n '__prt_in "/test"' -l min-delivery -x -d 'Of the changes, as in 99.9.'
complete -c prt -n '__prt_in "/test"' -l junit -r -F -d 'JUnit XML.'
complete -c prt -n '__prt_in "/test"' -l report -r -F -d 'One HTML page with all.'
complete -c prt -n '__prt_in "/test"' -l json -d 'NDJSON; the default in a pipe.'
complete -c prt -n '__prt_in "/test"' -s o -l output -x -a 'table json text' -d 'The form, whatever stdout is.'
complete -c prt -n '__prt_in "/test"' -s q -l quiet -d 'No notices on stderr.'
complete -c prt -n '__prt_in "/test"' -l no-color -d 'No colours.'
complete -c prt -n '__prt_in "/test"' -l url -x -d 'The project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/test"' -l local -d 'The embedded project, running or fresh.'
complete -c prt -n '__prt_in "/test"' -l as -x -a '(__prt_kind who)' -d 'anon, service, an email [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/test"' -l profile -x -a '(__prt_kind profile)' -d 'A profile of prt.toml.'
complete -c prt -n '__prt_in "/test"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/test"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/status"' -a '(__prt_kind table)'
complete -c prt -n '__prt_in "/status"' -l schema -x -d 'Of tables without one.'
complete -c prt -n '__prt_in "/status"' -l event -x -a '(__prt_kind event)' -d 'INSERT, UPDATE, DELETE; repeatable.'
complete -c prt -n '__prt_in "/status"' -l filter -x -a '(__prt_kind filter)' -d 'On the server: status=eq.open; several: AND.'
complete -c prt -n '__prt_in "/status"' -l select -x -a '(__prt_kind column)' -d 'Only these columns.'
complete -c prt -n '__prt_in "/status"' -l private -d 'A private topic: policies on realtime.messages.'
complete -c prt -n '__prt_in "/status"' -l topic -x -d 'Of our own channel.'
complete -c prt -n '__prt_in "/status"' -l strict -d 'Exit 1 for warnings too.'
complete -c prt -n '__prt_in "/status"' -s w -l watch -d 'Keep it live.'
complete -c prt -n '__prt_in "/status"' -l plan -x -d 'With --watch: free, pro, no-cap; its limits.'
complete -c prt -n '__prt_in "/status"' -l duration -x -d 'End after 30s, 5m, 1h.'
complete -c prt -n '__prt_in "/status"' -l json -d 'NDJSON, a line a finding.'
complete -c prt -n '__prt_in "/status"' -l no-color -d 'No colours.'
complete -c prt -n '__prt_in "/status"' -l url -x -d 'The project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/status"' -l local -d 'The embedded project, running or fresh.'
complete -c prt -n '__prt_in "/status"' -l as -x -a '(__prt_kind who)' -d 'anon, service, an email [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/status"' -l profile -x -a '(__prt_kind profile)' -d 'A profile of prt.toml.'
complete -c prt -n '__prt_in "/status"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/status"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/send"' -l private -d 'A private topic: policies on realtime.messages.'
complete -c prt -n '__prt_in "/send"' -l http -d 'Over HTTP: no join, so the right to write is enough.'
complete -c prt -n '__prt_in "/send"' -l rate -x -d 'At most N messages a second.'
complete -c prt -n '__prt_in "/send"' -l repeat -x -d 'Send it N times.'
complete -c prt -n '__prt_in "/send"' -l timeout -x -d 'Exit 1 without an answer in that time.'
complete -c prt -n '__prt_in "/send"' -l json -d 'A line a message: sent, acknowledged, ms.'
complete -c prt -n '__prt_in "/send"' -s q -l quiet -d 'No notices on stderr.'
complete -c prt -n '__prt_in "/send"' -l url -x -d 'The project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/send"' -l local -d 'The embedded project, running or fresh.'
complete -c prt -n '__prt_in "/send"' -l as -x -a '(__prt_kind who)' -d 'anon, service, an email [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/send"' -l profile -x -a '(__prt_kind profile)' -d 'A profile of prt.toml.'
complete -c prt -n '__prt_in "/send"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/send"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/update"' -a '(__prt_kind table)'
complete -c prt -n '__prt_in "/update"' -l if -x -d 'Only while the row has it; repeatable.'
complete -c prt -n '__prt_in "/update"' -l timeout -x -d 'From the commit to its echo.'
complete -c prt -n '__prt_in "/update"' -l json -d 'NDJSON; the default in a pipe.'
complete -c prt -n '__prt_in "/update"' -s o -l output -x -a 'table json text' -d 'The form, whatever stdout is.'
complete -c prt -n '__prt_in "/update"' -l template -x -d 'A line an event: \'{table} {new[id]}\'.'
complete -c prt -n '__prt_in "/update"' -l only -x -a '(__prt_kind type)' -d 'Keep these types of lines.'
complete -c prt -n '__prt_in "/update"' -l export -x -d 'Draw the last screen.'
complete -c prt -n '__prt_in "/update"' -s q -l quiet -d 'No notices on stderr.'
complete -c prt -n '__prt_in "/update"' -l no-color -d 'No colours.'
complete -c prt -n '__prt_in "/update"' -l url -x -d 'The project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/update"' -l local -d 'The embedded project, running or fresh.'
complete -c prt -n '__prt_in "/update"' -l as -x -a '(__prt_kind who)' -d 'anon, service, an email [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/update"' -l profile -x -a '(__prt_kind profile)' -d 'A profile of prt.toml.'
complete -c prt -n '__prt_in "/update"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/update"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/replay"' -F
complete -c prt -n '__prt_in "/replay"' -l speed -x -d 'Times faster, or max; else 1 in a view, max in a pipe.'
complete -c prt -n '__prt_in "/replay"' -l from -x -d 'A timestamp, or 5m after its start.'
complete -c prt -n '__prt_in "/replay"' -l to -x -d 'The same.'
complete -c prt -n '__prt_in "/replay"' -l include -x -d 'Keep events whose JSON has it.'
complete -c prt -n '__prt_in "/replay"' -l exclude -x -d 'Leave them out.'
complete -c prt -n '__prt_in "/replay"' -l json -d 'NDJSON; the default in a pipe.'
complete -c prt -n '__prt_in "/replay"' -s o -l output -x -a 'table json text' -d 'The form, whatever stdout is.'
complete -c prt -n '__prt_in "/replay"' -l template -x -d 'A line an event: \'{table} {new[id]}\'.'
complete -c prt -n '__prt_in "/replay"' -l only -x -a '(__prt_kind type)' -d 'Keep these types of lines.'
complete -c prt -n '__prt_in "/replay"' -l highlight -x -d 'Mark it in the view.'
complete -c prt -n '__prt_in "/replay"' -l view -x -d 'table, board, budget, feed, stats, presence, cursors.'
complete -c prt -n '__prt_in "/replay"' -l group-by -x -a '(__prt_kind column)' -d 'The board\'s columns [status].'
complete -c prt -n '__prt_in "/replay"' -l columns -x -d 'Their order on the board.'
complete -c prt -n '__prt_in "/replay"' -l wip -x -d 'A column\'s limit; repeatable.'
complete -c prt -n '__prt_in "/replay"' -l sort -x -a '(__prt_kind column)' -d 'Of the rows of --snapshot; -COL descends.'
complete -c prt -n '__prt_in "/replay"' -l plan -x -d 'stats: free, pro, no-cap; its limit.'
complete -c prt -n '__prt_in "/replay"' -l details -d 'The last change, both sides.'
complete -c prt -n '__prt_in "/replay"' -l once -d 'Show what there is, and end.'
complete -c prt -n '__prt_in "/replay"' -l alert -x -d '\'[TABLE:]spent/amount>=0.8:warn\'; repeatable.'
complete -c prt -n '__prt_in "/replay"' -l fail-on-alert -x -d 'Exit 1 where one was as severe.'
complete -c prt -n '__prt_in "/replay"' -l batch -x -d 'A row\'s changes as one, each MS.'
complete -c prt -n '__prt_in "/replay"' -l export -x -d 'Draw the last screen.'
complete -c prt -n '__prt_in "/replay"' -s q -l quiet -d 'No notices on stderr.'
complete -c prt -n '__prt_in "/replay"' -l no-color -d 'No colours.'
complete -c prt -n '__prt_in "/replay"' -s n -l count -x -d 'End after N live events.'
complete -c prt -n '__prt_in "/replay"' -l expect -x -d '\'INSERT tasks title=x\': end when it came.'
complete -c prt -n '__prt_in "/replay"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/replay"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local"' -a up -d 'Start the embedded project, in the foreground.'
complete -c prt -n '__prt_in "/local"' -a run -d 'Run a command against a project of its own.'
complete -c prt -n '__prt_in "/local"' -a status -d 'Show what runs: URL, age, where its data is, whether it answers.'
complete -c prt -n '__prt_in "/local"' -a env -d 'Print the URL and the keys, for a shell or a .env file.'
complete -c prt -n '__prt_in "/local"' -a token -d 'Print a token that the project accepts, as a session of anybody.'
complete -c prt -n '__prt_in "/local"' -a traffic -d 'Play a day of the production, compressed, into the running project.'
complete -c prt -n '__prt_in "/local"' -a reset -d 'Put the seed (or the migrations) back; the keys stay.'
complete -c prt -n '__prt_in "/local"' -a stop -d 'Stop the running project, and wait until it is gone.'
complete -c prt -n '__prt_in "/local"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/up"' -l port -x -d '0 is a free one.'
complete -c prt -n '__prt_in "/local/up"' -l data-dir -r -F -d 'Keep it there.'
complete -c prt -n '__prt_in "/local/up"' -l migrations -r -F -d 'Your SQL instead of the seed; repeatable.'
complete -c prt -n '__prt_in "/local/up"' -l no-seed -d 'No tables of the seed.'
complete -c prt -n '__prt_in "/local/up"' -l traffic -d 'A day of the production, compressed.'
complete -c prt -n '__prt_in "/local/up"' -l rate -x -d 'Traffic\'s changes a second.'
complete -c prt -n '__prt_in "/local/up"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/local/up"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/run"' -l port -x -d '0 is a free one.'
complete -c prt -n '__prt_in "/local/run"' -l data-dir -r -F -d 'Keep it there.'
complete -c prt -n '__prt_in "/local/run"' -l migrations -r -F -d 'Your SQL instead of the seed; repeatable.'
complete -c prt -n '__prt_in "/local/run"' -l no-seed -d 'No tables of the seed.'
complete -c prt -n '__prt_in "/local/run"' -l traffic -d 'A day of the production, compressed.'
complete -c prt -n '__prt_in "/local/run"' -l rate -x -d 'Traffic\'s changes a second.'
complete -c prt -n '__prt_in "/local/run"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/local/run"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/status"' -l port -x -d 'The one on this port.'
complete -c prt -n '__prt_in "/local/status"' -l data-dir -r -F -d 'The one that keeps its data there.'
complete -c prt -n '__prt_in "/local/status"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/local/status"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/env"' -l format -x -a 'export dotenv json github' -d 'export, dotenv, json or github.'
complete -c prt -n '__prt_in "/local/env"' -l port -x -d 'The one on this port.'
complete -c prt -n '__prt_in "/local/env"' -l data-dir -r -F -d 'The one that keeps its data there.'
complete -c prt -n '__prt_in "/local/env"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/local/env"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/token"' -l role -x -d 'The database\'s role.'
complete -c prt -n '__prt_in "/local/token"' -l sub -x -d 'The user\'s id.'
complete -c prt -n '__prt_in "/local/token"' -l claim -x -d 'JSON or text; repeatable.'
complete -c prt -n '__prt_in "/local/token"' -l expires -x -d 'From now on.'
complete -c prt -n '__prt_in "/local/token"' -l port -x -d 'The one on this port.'
complete -c prt -n '__prt_in "/local/token"' -l data-dir -r -F -d 'The one that keeps its data there.'
complete -c prt -n '__prt_in "/local/token"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/local/token"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/traffic"' -l rate -x -d 'Changes a second.'
complete -c prt -n '__prt_in "/local/traffic"' -l seed -x -d 'The same number, the same day.'
complete -c prt -n '__prt_in "/local/traffic"' -l port -x -d 'The one on this port.'
complete -c prt -n '__prt_in "/local/traffic"' -l data-dir -r -F -d 'The one that keeps its data there.'
complete -c prt -n '__prt_in "/local/traffic"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/local/traffic"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/reset"' -l port -x -d 'The one on this port.'
complete -c prt -n '__prt_in "/local/reset"' -l data-dir -r -F -d 'The one that keeps its data there.'
complete -c prt -n '__prt_in "/local/reset"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/local/reset"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/stop"' -l port -x -d 'The one on this port.'
complete -c prt -n '__prt_in "/local/stop"' -l data-dir -r -F -d 'The one that keeps its data there.'
complete -c prt -n '__prt_in "/local/stop"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/local/stop"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/demo"' -l rate -x -d 'Changes a second.'
complete -c prt -n '__prt_in "/demo"' -l json -d 'NDJSON; the default in a pipe.'
complete -c prt -n '__prt_in "/demo"' -s o -l output -x -a 'table json text' -d 'The form, whatever stdout is.'
complete -c prt -n '__prt_in "/demo"' -l template -x -d 'A line an event: \'{table} {new[id]}\'.'
complete -c prt -n '__prt_in "/demo"' -l only -x -a '(__prt_kind type)' -d 'Keep these types of lines.'
complete -c prt -n '__prt_in "/demo"' -l highlight -x -d 'Mark it in the view.'
complete -c prt -n '__prt_in "/demo"' -l view -x -d 'table, board, budget, feed, stats, presence, cursors.'
complete -c prt -n '__prt_in "/demo"' -l batch -x -d 'A row\'s changes as one, each MS.'
complete -c prt -n '__prt_in "/demo"' -l record -r -F -d 'All that comes, for prt replay.'
complete -c prt -n '__prt_in "/demo"' -l export -x -d 'Draw the last screen.'
complete -c prt -n '__prt_in "/demo"' -l no-color -d 'No colours.'
complete -c prt -n '__prt_in "/demo"' -s n -l count -x -d 'End after N live events.'
complete -c prt -n '__prt_in "/demo"' -l duration -x -d 'End after 30s, 5m, 1h.'
complete -c prt -n '__prt_in "/demo"' -l idle -x -d 'End after such a pause.'
complete -c prt -n '__prt_in "/demo"' -l timeout -x -d 'Exit 124 when what is waited for isn\'t there.'
complete -c prt -n '__prt_in "/demo"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/demo"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/init"' -l name -x -d 'Its name.'
complete -c prt -n '__prt_in "/init"' -s y -l yes -d 'Ask nothing: take what is found.'
complete -c prt -n '__prt_in "/init"' -l own -d 'Into your own configuration, not this folder.'
complete -c prt -n '__prt_in "/init"' -l url -x -d 'The project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/init"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/init"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/config"' -l json -d 'NDJSON; the default in a pipe.'
complete -c prt -n '__prt_in "/config"' -l url -x -d 'The project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/config"' -l as -x -a '(__prt_kind who)' -d 'anon, service, an email [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/config"' -l profile -x -a '(__prt_kind profile)' -d 'A profile of prt.toml.'
complete -c prt -n '__prt_in "/config"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/config"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/help"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/help"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/schema"' -l markdown -d 'A table for people.'
complete -c prt -n '__prt_in "/schema"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/schema"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/completion"' -a 'bash zsh fish powershell'
complete -c prt -n '__prt_in "/completion"' -l debug -d 'Show a traceback where something fails.'
complete -c prt -n '__prt_in "/completion"' -s h -l help -d 'Show this message and exit.'
