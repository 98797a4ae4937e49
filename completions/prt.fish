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
            case /audit
                set path /audit
            case /status
                set path /status
            case /send
                set path /send
            case /update
                set path /update
            case /replay
                set path /replay
            case /tap
                set path /tap
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
            case /skill
                set path /skill
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
            printf '%s\n' change broadcast presence status gap malformed alert conflict audit loss connection channel frame finding end
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
        printf '%s\n' "$head$word"
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
complete -c prt -n '__prt_in ""' -a watch -d 'Show the live changes of tables and topics: a view on a terminal, NDJSON in a pipe.'
complete -c prt -n '__prt_in ""' -a presence -d 'Show who is online on a topic, and who joins, leaves and changes.'
complete -c prt -n '__prt_in ""' -a notify -d 'Show the live notifications of a user: toasts on a terminal, NDJSON in a pipe.'
complete -c prt -n '__prt_in ""' -a test -d 'Test a project\'s realtime: a live table on a terminal, NDJSON in a pipe.'
complete -c prt -n '__prt_in ""' -a audit -d 'Account for every committed change: arrived, hidden, filtered, cut, late, lost.'
complete -c prt -n '__prt_in ""' -a status -d 'Check every layer from here to a live table: its state, figure and remedy.'
complete -c prt -n '__prt_in ""' -a send -d 'Send a broadcast, such as a cursor move.'
complete -c prt -n '__prt_in ""' -a update -d 'Write a row: show it at once, commit it, confirm it by its own realtime echo.'
complete -c prt -n '__prt_in ""' -a replay -d 'Play a recording through the views, lines and expectations of prt watch.'
complete -c prt -n '__prt_in ""' -a tap -d 'Watch an app\'s own traffic, and name what it does wrong.'
complete -c prt -n '__prt_in ""' -a local -d 'The embedded Supabase: a real PostgreSQL, Realtime, REST and Auth on one port of 127.0.0.1.'
complete -c prt -n '__prt_in ""' -a demo -d 'Show everything: an embedded project, simulated traffic, a live view.'
complete -c prt -n '__prt_in ""' -a init -d 'Write a profile into prt.toml, by asking or from the files of a folder.'
complete -c prt -n '__prt_in ""' -a config -d 'Show what is in force and where each value came from, without secrets.'
complete -c prt -n '__prt_in ""' -a help -d 'Show a page of the manual, the help of a command or an error; without a topic, list them.'
complete -c prt -n '__prt_in ""' -a skill -d 'Print a SKILL.md: what prt does, its commands, its exit codes, and examples that end by themselves.'
complete -c prt -n '__prt_in ""' -a schema -d 'Print the JSON Schema of the lines of NDJSON.'
complete -c prt -n '__prt_in ""' -a completion -d 'Print the script with which a shell completes prt\'s words at TAB.'
complete -c prt -n '__prt_in ""' -s V -l version -d 'Show the versions.'
complete -c prt -n '__prt_in ""' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/watch"' -a '(__prt_kind table)'
complete -c prt -n '__prt_in "/watch"' -l schema -x -d 'Schema of tables given without one.'
complete -c prt -n '__prt_in "/watch"' -l event -x -a '(__prt_kind event)' -d 'Only INSERT, UPDATE or DELETE; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l filter -x -a '(__prt_kind filter)' -d 'Filter on the server, such as status=eq.open; several are joined by AND.'
complete -c prt -n '__prt_in "/watch"' -l select -x -a '(__prt_kind column)' -d 'Ask for these columns only.'
complete -c prt -n '__prt_in "/watch"' -l broadcast -x -d 'Receive the broadcasts of TOPIC; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l presence -x -d 'Receive who is present on TOPIC; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l private -d 'Join topics as private ones, which need policies on realtime.messages.'
complete -c prt -n '__prt_in "/watch"' -l include -x -d 'Keep only events whose JSON matches REGEX.'
complete -c prt -n '__prt_in "/watch"' -l exclude -x -d 'Drop events whose JSON matches REGEX.'
complete -c prt -n '__prt_in "/watch"' -l json -d 'Write NDJSON, which is the default in a pipe.'
complete -c prt -n '__prt_in "/watch"' -s o -l output -x -a 'table json text' -d 'Form of the output, on a terminal or in a pipe.'
complete -c prt -n '__prt_in "/watch"' -l template -x -d 'Write each event as TEXT, such as \'{table} {new[id]}\'.'
complete -c prt -n '__prt_in "/watch"' -l only -x -a '(__prt_kind type)' -d 'Write only lines of these types, listed by `prt help lines`.'
complete -c prt -n '__prt_in "/watch"' -l highlight -x -d 'Highlight what matches REGEX in the view.'
complete -c prt -n '__prt_in "/watch"' -l view -x -d 'Views to show: table, board, budget, feed, stats, presence, cursors.'
complete -c prt -n '__prt_in "/watch"' -l group-by -x -a '(__prt_kind column)' -d 'Column whose values are the columns of the board [status].'
complete -c prt -n '__prt_in "/watch"' -l columns -x -d 'Order of the columns on the board.'
complete -c prt -n '__prt_in "/watch"' -l wip -x -d 'Limit of cards in a column of the board; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l sort -x -a '(__prt_kind column)' -d 'Sort the rows of --snapshot by COL; -COL sorts descending.'
complete -c prt -n '__prt_in "/watch"' -l plan -x -d 'Compare the rate with the limit of a plan: free, pro or no-cap.'
complete -c prt -n '__prt_in "/watch"' -l details -d 'Show both sides of the last change.'
complete -c prt -n '__prt_in "/watch"' -l once -d 'Print the current state once and exit.'
complete -c prt -n '__prt_in "/watch"' -l alert -x -d 'Alert if a row meets RULE, such as \'budgets:spent/amount>=0.8:warn\'; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l fail-on-alert -x -d 'Exit with 1 after an alert of SEVERITY or above.'
complete -c prt -n '__prt_in "/watch"' -l bell -d 'Ring the terminal\'s bell.'
complete -c prt -n '__prt_in "/watch"' -l exec -x -d 'Run CMD for each alert, with its JSON on standard input.'
complete -c prt -n '__prt_in "/watch"' -l metrics -x -d 'Put Prometheus metrics into FILE.prom, or serve them on loopback.'
complete -c prt -n '__prt_in "/watch"' -l canary -x -d 'Write and remove a row of TABLE every minute, and measure its arrival.'
complete -c prt -n '__prt_in "/watch"' -l allow-writes -d 'Allow --canary to write to a project that is not on loopback.'
complete -c prt -n '__prt_in "/watch"' -l keep -x -d 'Keep the newest N events to scroll back to.'
complete -c prt -n '__prt_in "/watch"' -l edit -d 'Allow the keys that write, as whoever watches.'
complete -c prt -n '__prt_in "/watch"' -l batch -x -d 'Merge the changes of a row within MS milliseconds.'
complete -c prt -n '__prt_in "/watch"' -l record -r -F -d 'Record every event to FILE, for `prt replay`.'
complete -c prt -n '__prt_in "/watch"' -l export -x -d 'Save the last screen as an SVG picture.'
complete -c prt -n '__prt_in "/watch"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/watch"' -l no-color -d 'Use no colours.'
complete -c prt -n '__prt_in "/watch"' -s n -l count -x -d 'Stop after N live events.'
complete -c prt -n '__prt_in "/watch"' -l duration -x -d 'Stop after TIME, such as 30s, 5m or 1h, and exit with 0.'
complete -c prt -n '__prt_in "/watch"' -l idle -x -d 'Stop after TIME without an event.'
complete -c prt -n '__prt_in "/watch"' -l timeout -x -d 'Give up after TIME and exit with 124.'
complete -c prt -n '__prt_in "/watch"' -l agent -d 'End after 30s, unless --duration or --timeout is given [PRT_AGENT].'
complete -c prt -n '__prt_in "/watch"' -l expect -x -d 'Stop once this event has come, such as \'INSERT tasks title=x\'; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l backfill -l no-backfill -d 'After a gap, read the missed rows over REST.'
complete -c prt -n '__prt_in "/watch"' -l verify -l no-verify -d 'Compare what came with the tables over REST, and declare what is missing [verify].'
complete -c prt -n '__prt_in "/watch"' -l snapshot -d 'Load the current rows first.'
complete -c prt -n '__prt_in "/watch"' -l since -x -d 'Also read changes since TIME (5m, 2h or a timestamp), except deletes.'
complete -c prt -n '__prt_in "/watch"' -l cursor -x -a '(__prt_kind column)' -d 'Column that dates a row\'s last change [updated_at, else created_at].'
complete -c prt -n '__prt_in "/watch"' -l key -x -a '(__prt_kind column)' -d 'Key columns of a table, if they can\'t be learned from the stream.'
complete -c prt -n '__prt_in "/watch"' -l replay -x -d 'Ask for earlier broadcasts of private topics.'
complete -c prt -n '__prt_in "/watch"' -l reconnect -l no-reconnect -d 'Reconnect after a lost connection, or exit with 4.'
complete -c prt -n '__prt_in "/watch"' -l max-reconnects -x -d 'Exit with 4 after N reconnects.'
complete -c prt -n '__prt_in "/watch"' -l wait-for-server -d 'Keep trying to reach a server that is not up yet.'
complete -c prt -n '__prt_in "/watch"' -l url -x -d 'URL of the project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/watch"' -l local -d 'Use the embedded project: the running one, or a fresh one.'
complete -c prt -n '__prt_in "/watch"' -l as -x -a '(__prt_kind who)' -d 'Connect as anon, service or a user\'s EMAIL [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/watch"' -l profile -x -a '(__prt_kind profile)' -d 'Use the profile NAME of prt.toml.'
complete -c prt -n '__prt_in "/watch"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/watch"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/presence"' -l track -x -d 'Be present as well, with KEY=VALUE or JSON; repeatable.'
complete -c prt -n '__prt_in "/presence"' -l key -x -d 'Our own key on the roster.'
complete -c prt -n '__prt_in "/presence"' -l private -d 'Join topics as private ones, which need policies on realtime.messages.'
complete -c prt -n '__prt_in "/presence"' -l columns -x -a '(__prt_kind column)' -d 'Columns to show, in this order.'
complete -c prt -n '__prt_in "/presence"' -l once -d 'Print who is present and exit.'
complete -c prt -n '__prt_in "/presence"' -l json -d 'Write NDJSON, which is the default in a pipe.'
complete -c prt -n '__prt_in "/presence"' -s o -l output -x -a 'table json text' -d 'Form of the output, on a terminal or in a pipe.'
complete -c prt -n '__prt_in "/presence"' -l template -x -d 'Write each event as TEXT, such as \'{table} {new[id]}\'.'
complete -c prt -n '__prt_in "/presence"' -l only -x -a '(__prt_kind type)' -d 'Write only lines of these types, listed by `prt help lines`.'
complete -c prt -n '__prt_in "/presence"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/presence"' -l no-color -d 'Use no colours.'
complete -c prt -n '__prt_in "/presence"' -l expect-key -x -d 'Exit with 0 once KEY is online; repeatable.'
complete -c prt -n '__prt_in "/presence"' -l min -x -d 'Exit with 0 once N are online.'
complete -c prt -n '__prt_in "/presence"' -s n -l count -x -d 'Stop after N joins, leaves and updates.'
complete -c prt -n '__prt_in "/presence"' -l duration -x -d 'Stop after TIME, such as 30s, 5m or 1h, and exit with 0.'
complete -c prt -n '__prt_in "/presence"' -l idle -x -d 'Stop after TIME without an event.'
complete -c prt -n '__prt_in "/presence"' -l timeout -x -d 'Give up after TIME and exit with 124.'
complete -c prt -n '__prt_in "/presence"' -l agent -d 'End after 30s, unless --duration or --timeout is given [PRT_AGENT].'
complete -c prt -n '__prt_in "/presence"' -l reconnect -l no-reconnect -d 'Reconnect after a lost connection, or exit with 4.'
complete -c prt -n '__prt_in "/presence"' -l max-reconnects -x -d 'Exit with 4 after N reconnects.'
complete -c prt -n '__prt_in "/presence"' -l wait-for-server -d 'Keep trying to reach a server that is not up yet.'
complete -c prt -n '__prt_in "/presence"' -l url -x -d 'URL of the project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/presence"' -l local -d 'Use the embedded project: the running one, or a fresh one.'
complete -c prt -n '__prt_in "/presence"' -l as -x -a '(__prt_kind who)' -d 'Connect as anon, service or a user\'s EMAIL [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/presence"' -l profile -x -a '(__prt_kind profile)' -d 'Use the profile NAME of prt.toml.'
complete -c prt -n '__prt_in "/presence"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/presence"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/notify"' -a send -d 'Write a notification and wait until it comes back over Realtime.'
complete -c prt -n '__prt_in "/notify"' -a read -d 'Mark notifications as read over REST.'
complete -c prt -n '__prt_in "/notify"' -l user -x -d 'User whose notifications are meant [the session\'s own].'
complete -c prt -n '__prt_in "/notify"' -l table -x -a '(__prt_kind table)' -d 'Table of the notifications.'
complete -c prt -n '__prt_in "/notify"' -l schema -x -d 'Schema of tables given without one.'
complete -c prt -n '__prt_in "/notify"' -l user-column -x -a '(__prt_kind column)' -d 'Column that names the user of a row.'
complete -c prt -n '__prt_in "/notify"' -l snapshot -d 'Load the current rows first.'
complete -c prt -n '__prt_in "/notify"' -l bell -d 'Ring the terminal\'s bell.'
complete -c prt -n '__prt_in "/notify"' -l exec -x -d 'Run CMD for each event, with its JSON on standard input.'
complete -c prt -n '__prt_in "/notify"' -l include -x -d 'Keep only events whose JSON matches REGEX.'
complete -c prt -n '__prt_in "/notify"' -l exclude -x -d 'Drop events whose JSON matches REGEX.'
complete -c prt -n '__prt_in "/notify"' -l json -d 'Write NDJSON, which is the default in a pipe.'
complete -c prt -n '__prt_in "/notify"' -s o -l output -x -a 'table json text' -d 'Form of the output, on a terminal or in a pipe.'
complete -c prt -n '__prt_in "/notify"' -l template -x -d 'Write each event as TEXT, such as \'{table} {new[id]}\'.'
complete -c prt -n '__prt_in "/notify"' -l only -x -a '(__prt_kind type)' -d 'Write only lines of these types, listed by `prt help lines`.'
complete -c prt -n '__prt_in "/notify"' -l highlight -x -d 'Highlight what matches REGEX in the view.'
complete -c prt -n '__prt_in "/notify"' -l record -r -F -d 'Record every event to FILE, for `prt replay`.'
complete -c prt -n '__prt_in "/notify"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/notify"' -l no-color -d 'Use no colours.'
complete -c prt -n '__prt_in "/notify"' -s n -l count -x -d 'Stop after N live events.'
complete -c prt -n '__prt_in "/notify"' -l duration -x -d 'Stop after TIME, such as 30s, 5m or 1h, and exit with 0.'
complete -c prt -n '__prt_in "/notify"' -l idle -x -d 'Stop after TIME without an event.'
complete -c prt -n '__prt_in "/notify"' -l timeout -x -d 'Give up after TIME and exit with 124.'
complete -c prt -n '__prt_in "/notify"' -l agent -d 'End after 30s, unless --duration or --timeout is given [PRT_AGENT].'
complete -c prt -n '__prt_in "/notify"' -l expect -x -d 'Stop once this event has come, such as \'INSERT tasks title=x\'; repeatable.'
complete -c prt -n '__prt_in "/notify"' -l backfill -l no-backfill -d 'After a gap, read the missed rows over REST.'
complete -c prt -n '__prt_in "/notify"' -l since -x -d 'Also read changes since TIME (5m, 2h or a timestamp), except deletes.'
complete -c prt -n '__prt_in "/notify"' -l cursor -x -a '(__prt_kind column)' -d 'Column that dates a row\'s last change [updated_at, else created_at].'
complete -c prt -n '__prt_in "/notify"' -l key -x -a '(__prt_kind column)' -d 'Key columns of a table, if they can\'t be learned from the stream.'
complete -c prt -n '__prt_in "/notify"' -l edit -d 'Allow the keys that write, as whoever watches.'
complete -c prt -n '__prt_in "/notify"' -l reconnect -l no-reconnect -d 'Reconnect after a lost connection, or exit with 4.'
complete -c prt -n '__prt_in "/notify"' -l max-reconnects -x -d 'Exit with 4 after N reconnects.'
complete -c prt -n '__prt_in "/notify"' -l wait-for-server -d 'Keep trying to reach a server that is not up yet.'
complete -c prt -n '__prt_in "/notify"' -l url -x -d 'URL of the project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/notify"' -l local -d 'Use the embedded project: the running one, or a fresh one.'
complete -c prt -n '__prt_in "/notify"' -l as -x -a '(__prt_kind who)' -d 'Connect as anon, service or a user\'s EMAIL [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/notify"' -l profile -x -a '(__prt_kind profile)' -d 'Use the profile NAME of prt.toml.'
complete -c prt -n '__prt_in "/notify"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/notify"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/notify/send"' -l title -x -d 'Title of the notification.'
complete -c prt -n '__prt_in "/notify/send"' -l message -x -d 'Text of the notification.'
complete -c prt -n '__prt_in "/notify/send"' -l type -x -d 'Type of the notification, such as info or success.'
complete -c prt -n '__prt_in "/notify/send"' -l set -x -d 'Set another column; repeatable.'
complete -c prt -n '__prt_in "/notify/send"' -l user -x -d 'User whose notifications are meant [the session\'s own].'
complete -c prt -n '__prt_in "/notify/send"' -l table -x -a '(__prt_kind table)' -d 'Table of the notifications.'
complete -c prt -n '__prt_in "/notify/send"' -l schema -x -d 'Schema of tables given without one.'
complete -c prt -n '__prt_in "/notify/send"' -l user-column -x -a '(__prt_kind column)' -d 'Column that names the user of a row.'
complete -c prt -n '__prt_in "/notify/send"' -l timeout -x -d 'Exit with 1 if no echo comes within TIME.'
complete -c prt -n '__prt_in "/notify/send"' -l no-wait -d 'Do not wait for the echo.'
complete -c prt -n '__prt_in "/notify/send"' -l json -d 'Write JSON, which is the default in a pipe.'
complete -c prt -n '__prt_in "/notify/send"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/notify/send"' -l url -x -d 'URL of the project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/notify/send"' -l local -d 'Use the embedded project: the running one, or a fresh one.'
complete -c prt -n '__prt_in "/notify/send"' -l as -x -a '(__prt_kind who)' -d 'Connect as anon, service or a user\'s EMAIL [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/notify/send"' -l profile -x -a '(__prt_kind profile)' -d 'Use the profile NAME of prt.toml.'
complete -c prt -n '__prt_in "/notify/send"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/notify/send"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/notify/read"' -l all -d 'Mark all unread notifications.'
complete -c prt -n '__prt_in "/notify/read"' -l user -x -d 'User whose notifications are meant [the session\'s own].'
complete -c prt -n '__prt_in "/notify/read"' -l table -x -a '(__prt_kind table)' -d 'Table of the notifications.'
complete -c prt -n '__prt_in "/notify/read"' -l schema -x -d 'Schema of tables given without one.'
complete -c prt -n '__prt_in "/notify/read"' -l user-column -x -a '(__prt_kind column)' -d 'Column that names the user of a row.'
complete -c prt -n '__prt_in "/notify/read"' -l json -d 'Write JSON, which is the default in a pipe.'
complete -c prt -n '__prt_in "/notify/read"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/notify/read"' -l url -x -d 'URL of the project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/notify/read"' -l local -d 'Use the embedded project: the running one, or a fresh one.'
complete -c prt -n '__prt_in "/notify/read"' -l as -x -a '(__prt_kind who)' -d 'Connect as anon, service or a user\'s EMAIL [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/notify/read"' -l profile -x -a '(__prt_kind profile)' -d 'Use the profile NAME of prt.toml.'
complete -c prt -n '__prt_in "/notify/read"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/notify/read"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/test"' -a '(__prt_kind suite)'
complete -c prt -n '__prt_in "/test"' -l list -d 'List the suites and what each needs.'
complete -c prt -n '__prt_in "/test"' -l clean -d 'Only remove the rows that test runs left.'
complete -c prt -n '__prt_in "/test"' -l require -x -a '(__prt_kind suite)' -d 'Fail if a check of SUITE is skipped; repeatable.'
complete -c prt -n '__prt_in "/test"' -l allow-writes -d 'Write test rows on a project that is not on loopback.'
complete -c prt -n '__prt_in "/test"' -l table -x -d 'Table in which test rows are made; repeatable with --write-contract.'
complete -c prt -n '__prt_in "/test"' -l marker -x -a '(__prt_kind column)' -d 'Text column of the table that holds the mark.'
complete -c prt -n '__prt_in "/test"' -l stranger -x -d 'A second user, who is not a member [PRT_STRANGER_PASSWORD].'
complete -c prt -n '__prt_in "/test"' -l private-topic -x -d 'Private topic that the tests may use; repeatable with --write-contract.'
complete -c prt -n '__prt_in "/test"' -l repeat -x -d 'Run everything N times.'
complete -c prt -n '__prt_in "/test"' -l wait -x -d 'Wait TIME at most for what must come.'
complete -c prt -n '__prt_in "/test"' -l contract -r -F -d 'Fail if who receives what differs from the contract in FILE.'
complete -c prt -n '__prt_in "/test"' -l write-contract -r -F -d 'Write a contract of who receives what today.'
complete -c prt -n '__prt_in "/test"' -l samples -x -d 'Rows that the suite latency writes.'
complete -c prt -n '__prt_in "/test"' -l clients -x -d 'Subscribers of the suite load.'
complete -c prt -n '__prt_in "/test"' -l rate -x -d 'Rows a second of the suite load.'
complete -c prt -n '__prt_in "/test"' -l duration -x -d 'Length of the suite load, with its ramp.'
complete -c prt -n '__prt_in "/test"' -l limit -x -a 'free pro no-cap none' -d 'Stop the suite load at the limit of this plan.'
complete -c prt -n '__prt_in "/test"' -l max-lag -x -d 'Fail above this lag of p50, p95, p99 or max; repeatable.'
complete -c prt -n '__prt_in "/test"' -l min-delivery -x -d 'Fail if less than PERCENT of the changes is delivered.'
complete -c prt -n '__prt_in "/test"' -l junit -r -F -d 'Write a report as JUnit XML.'
complete -c prt -n '__prt_in "/test"' -l report -r -F -d 'Write a report as one HTML page.'
complete -c prt -n '__prt_in "/test"' -l json -d 'Write NDJSON, which is the default in a pipe.'
complete -c prt -n '__prt_in "/test"' -s o -l output -x -a 'table json text' -d 'Form of the output, on a terminal or in a pipe.'
complete -c prt -n '__prt_in "/test"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/test"' -l no-color -d 'Use no colours.'
complete -c prt -n '__prt_in "/test"' -l url -x -d 'URL of the project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/test"' -l local -d 'Use the embedded project: the running one, or a fresh one.'
complete -c prt -n '__prt_in "/test"' -l as -x -a '(__prt_kind who)' -d 'Connect as anon, service or a user\'s EMAIL [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/test"' -l profile -x -a '(__prt_kind profile)' -d 'Use the profile NAME of prt.toml.'
complete -c prt -n '__prt_in "/test"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/test"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/audit"' -a '(__prt_kind table)'
complete -c prt -n '__prt_in "/audit"' -l schema -x -d 'Schema of tables given without one.'
complete -c prt -n '__prt_in "/audit"' -l filter -x -a '(__prt_kind filter)' -d 'Filter on the server, such as status=eq.open; several are joined by AND.'
complete -c prt -n '__prt_in "/audit"' -l duration -x -d 'Account for the commits of TIME [60s].'
complete -c prt -n '__prt_in "/audit"' -l late-after -x -d 'Count a change as late if it arrives later than TIME after its commit [5s].'
complete -c prt -n '__prt_in "/audit"' -l min-delivery -x -d 'Exit with 1 if less arrives whole and in time.'
complete -c prt -n '__prt_in "/audit"' -l allow-slot -d 'Open a replication slot on a database that is not on this machine.'
complete -c prt -n '__prt_in "/audit"' -l max-wal -x -d 'Stop if the slot makes the server keep more log than SIZE [64MB].'
complete -c prt -n '__prt_in "/audit"' -l json -d 'Write NDJSON, which is the default in a pipe.'
complete -c prt -n '__prt_in "/audit"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/audit"' -l no-color -d 'Use no colours.'
complete -c prt -n '__prt_in "/audit"' -l url -x -d 'URL of the project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/audit"' -l local -d 'Use the embedded project: the running one, or a fresh one.'
complete -c prt -n '__prt_in "/audit"' -l as -x -a '(__prt_kind who)' -d 'Connect as anon, service or a user\'s EMAIL [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/audit"' -l profile -x -a '(__prt_kind profile)' -d 'Use the profile NAME of prt.toml.'
complete -c prt -n '__prt_in "/audit"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/audit"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/status"' -a '(__prt_kind table)'
complete -c prt -n '__prt_in "/status"' -l schema -x -d 'Schema of tables given without one.'
complete -c prt -n '__prt_in "/status"' -l event -x -a '(__prt_kind event)' -d 'Only INSERT, UPDATE or DELETE; repeatable.'
complete -c prt -n '__prt_in "/status"' -l filter -x -a '(__prt_kind filter)' -d 'Filter on the server, such as status=eq.open; several are joined by AND.'
complete -c prt -n '__prt_in "/status"' -l select -x -a '(__prt_kind column)' -d 'Ask for these columns only.'
complete -c prt -n '__prt_in "/status"' -l private -d 'Join topics as private ones, which need policies on realtime.messages.'
complete -c prt -n '__prt_in "/status"' -l topic -x -d 'Topic of our own channel.'
complete -c prt -n '__prt_in "/status"' -l strict -d 'Exit with 1 for warnings too.'
complete -c prt -n '__prt_in "/status"' -s w -l watch -d 'Keep the diagnosis live.'
complete -c prt -n '__prt_in "/status"' -l plan -x -d 'With --watch, compare with the limits of a plan: free, pro or no-cap.'
complete -c prt -n '__prt_in "/status"' -l duration -x -d 'Stop after TIME, such as 30s, 5m or 1h, and exit with 0.'
complete -c prt -n '__prt_in "/status"' -l agent -d 'End after 30s, unless --duration or --timeout is given [PRT_AGENT].'
complete -c prt -n '__prt_in "/status"' -l json -d 'Write NDJSON, a line for each finding.'
complete -c prt -n '__prt_in "/status"' -l format -x -a 'text json nagios prometheus' -d 'Write text, NDJSON, a monitoring plugin\'s output (exits with 0 to 3) or Prometheus\'s format.'
complete -c prt -n '__prt_in "/status"' -l bundle -x -d 'Write what a bug report needs, without secrets and values, to a new FILE.zip.'
complete -c prt -n '__prt_in "/status"' -l no-color -d 'Use no colours.'
complete -c prt -n '__prt_in "/status"' -l url -x -d 'URL of the project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/status"' -l local -d 'Use the embedded project: the running one, or a fresh one.'
complete -c prt -n '__prt_in "/status"' -l as -x -a '(__prt_kind who)' -d 'Connect as anon, service or a user\'s EMAIL [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/status"' -l profile -x -a '(__prt_kind profile)' -d 'Use the profile NAME of prt.toml.'
complete -c prt -n '__prt_in "/status"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/status"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/send"' -l private -d 'Join topics as private ones, which need policies on realtime.messages.'
complete -c prt -n '__prt_in "/send"' -l http -d 'Send over HTTP, which needs the right to write only.'
complete -c prt -n '__prt_in "/send"' -l rate -x -d 'Send at most N messages a second.'
complete -c prt -n '__prt_in "/send"' -l repeat -x -d 'Send the message N times.'
complete -c prt -n '__prt_in "/send"' -l persist -d 'Store the messages, so that a later replay brings them back; needs --private.'
complete -c prt -n '__prt_in "/send"' -l ttl -x -d 'Keep stored messages for TIME only, such as 10m.'
complete -c prt -n '__prt_in "/send"' -l timeout -x -d 'Exit with 1 if no answer comes within TIME.'
complete -c prt -n '__prt_in "/send"' -l json -d 'Write a line for each message: sent, acknowledged, milliseconds.'
complete -c prt -n '__prt_in "/send"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/send"' -l url -x -d 'URL of the project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/send"' -l local -d 'Use the embedded project: the running one, or a fresh one.'
complete -c prt -n '__prt_in "/send"' -l as -x -a '(__prt_kind who)' -d 'Connect as anon, service or a user\'s EMAIL [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/send"' -l profile -x -a '(__prt_kind profile)' -d 'Use the profile NAME of prt.toml.'
complete -c prt -n '__prt_in "/send"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/send"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/update"' -a '(__prt_kind table)'
complete -c prt -n '__prt_in "/update"' -l if -x -d 'Write only while the row has this value; repeatable.'
complete -c prt -n '__prt_in "/update"' -l timeout -x -d 'Wait TIME at most for the echo of the commit.'
complete -c prt -n '__prt_in "/update"' -l json -d 'Write NDJSON, which is the default in a pipe.'
complete -c prt -n '__prt_in "/update"' -s o -l output -x -a 'table json text' -d 'Form of the output, on a terminal or in a pipe.'
complete -c prt -n '__prt_in "/update"' -l template -x -d 'Write each event as TEXT, such as \'{table} {new[id]}\'.'
complete -c prt -n '__prt_in "/update"' -l only -x -a '(__prt_kind type)' -d 'Write only lines of these types, listed by `prt help lines`.'
complete -c prt -n '__prt_in "/update"' -l export -x -d 'Save the last screen as an SVG picture.'
complete -c prt -n '__prt_in "/update"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/update"' -l no-color -d 'Use no colours.'
complete -c prt -n '__prt_in "/update"' -l url -x -d 'URL of the project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/update"' -l local -d 'Use the embedded project: the running one, or a fresh one.'
complete -c prt -n '__prt_in "/update"' -l as -x -a '(__prt_kind who)' -d 'Connect as anon, service or a user\'s EMAIL [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/update"' -l profile -x -a '(__prt_kind profile)' -d 'Use the profile NAME of prt.toml.'
complete -c prt -n '__prt_in "/update"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/update"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/replay"' -F
complete -c prt -n '__prt_in "/replay"' -l speed -x -d 'Play N times as fast, or max [1 in a view, max in a pipe].'
complete -c prt -n '__prt_in "/replay"' -l from -x -d 'Start at TIME: a timestamp, or 5m for five minutes after the start.'
complete -c prt -n '__prt_in "/replay"' -l to -x -d 'Stop at TIME, in the same forms.'
complete -c prt -n '__prt_in "/replay"' -l include -x -d 'Keep only events whose JSON matches REGEX.'
complete -c prt -n '__prt_in "/replay"' -l exclude -x -d 'Drop events whose JSON matches REGEX.'
complete -c prt -n '__prt_in "/replay"' -l json -d 'Write NDJSON, which is the default in a pipe.'
complete -c prt -n '__prt_in "/replay"' -s o -l output -x -a 'table json text' -d 'Form of the output, on a terminal or in a pipe.'
complete -c prt -n '__prt_in "/replay"' -l template -x -d 'Write each event as TEXT, such as \'{table} {new[id]}\'.'
complete -c prt -n '__prt_in "/replay"' -l only -x -a '(__prt_kind type)' -d 'Write only lines of these types, listed by `prt help lines`.'
complete -c prt -n '__prt_in "/replay"' -l highlight -x -d 'Highlight what matches REGEX in the view.'
complete -c prt -n '__prt_in "/replay"' -l view -x -d 'Views to show: table, board, budget, feed, stats, presence, cursors.'
complete -c prt -n '__prt_in "/replay"' -l group-by -x -a '(__prt_kind column)' -d 'Column whose values are the columns of the board [status].'
complete -c prt -n '__prt_in "/replay"' -l columns -x -d 'Order of the columns on the board.'
complete -c prt -n '__prt_in "/replay"' -l wip -x -d 'Limit of cards in a column of the board; repeatable.'
complete -c prt -n '__prt_in "/replay"' -l sort -x -a '(__prt_kind column)' -d 'Sort the rows of --snapshot by COL; -COL sorts descending.'
complete -c prt -n '__prt_in "/replay"' -l plan -x -d 'Compare the rate with the limit of a plan: free, pro or no-cap.'
complete -c prt -n '__prt_in "/replay"' -l details -d 'Show both sides of the last change.'
complete -c prt -n '__prt_in "/replay"' -l once -d 'Print the current state once and exit.'
complete -c prt -n '__prt_in "/replay"' -l alert -x -d 'Alert if a row meets RULE, such as \'budgets:spent/amount>=0.8:warn\'; repeatable.'
complete -c prt -n '__prt_in "/replay"' -l fail-on-alert -x -d 'Exit with 1 after an alert of SEVERITY or above.'
complete -c prt -n '__prt_in "/replay"' -l keep -x -d 'Keep the newest N events to scroll back to.'
complete -c prt -n '__prt_in "/replay"' -l batch -x -d 'Merge the changes of a row within MS milliseconds.'
complete -c prt -n '__prt_in "/replay"' -l export -x -d 'Save the last screen as an SVG picture.'
complete -c prt -n '__prt_in "/replay"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/replay"' -l no-color -d 'Use no colours.'
complete -c prt -n '__prt_in "/replay"' -s n -l count -x -d 'Stop after N live events.'
complete -c prt -n '__prt_in "/replay"' -l expect -x -d 'Stop once this event has come, such as \'INSERT tasks title=x\'; repeatable.'
complete -c prt -n '__prt_in "/replay"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/replay"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/tap"' -l port -x -d 'Listen here; 0 is a free port.'
complete -c prt -n '__prt_in "/tap"' -l view -d 'Draw the screen.'
complete -c prt -n '__prt_in "/tap"' -l command-log -r -F -d 'Write the command\'s output to FILE.'
complete -c prt -n '__prt_in "/tap"' -l frames -d 'Write a line for every frame as well.'
complete -c prt -n '__prt_in "/tap"' -l json -d 'Write NDJSON, which is the default in a pipe.'
complete -c prt -n '__prt_in "/tap"' -s o -l output -x -a 'table json text' -d 'Form of the output, on a terminal or in a pipe.'
complete -c prt -n '__prt_in "/tap"' -l only -x -a '(__prt_kind type)' -d 'Write only lines of these types, listed by `prt help lines`.'
complete -c prt -n '__prt_in "/tap"' -l record -r -F -d 'Record every event to FILE, for `prt replay`.'
complete -c prt -n '__prt_in "/tap"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/tap"' -l no-color -d 'Use no colours.'
complete -c prt -n '__prt_in "/tap"' -l duration -x -d 'Stop after TIME, such as 30s, 5m or 1h, and exit with 0.'
complete -c prt -n '__prt_in "/tap"' -l cut -x -d 'Cut all connections, or every=TIME; repeatable.'
complete -c prt -n '__prt_in "/tap"' -l delay -x -d 'Delay websocket frames: 300ms+-100ms.'
complete -c prt -n '__prt_in "/tap"' -l half-open -d 'Keep sockets open but pass nothing.'
complete -c prt -n '__prt_in "/tap"' -l refuse -x -d 'Refuse websockets with 401, 403, 429 or 503.'
complete -c prt -n '__prt_in "/tap"' -l expire-token -d 'Let the users\' tokens expire early.'
complete -c prt -n '__prt_in "/tap"' -l drop-changes -x -d 'Drop this part of the changes.'
complete -c prt -n '__prt_in "/tap"' -l fault-at -x -d 'Begin --half-open, --refuse or --expire-token at TIME.'
complete -c prt -n '__prt_in "/tap"' -l fault-for -x -d 'End --refuse after TIME.'
complete -c prt -n '__prt_in "/tap"' -l chaos-seed -x -d 'Repeat the same delays and drops.'
complete -c prt -n '__prt_in "/tap"' -l expect-recovery -x -d 'Exit 1 unless the app is well TIME after each fault.'
complete -c prt -n '__prt_in "/tap"' -l url -x -d 'URL of the project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/tap"' -l local -d 'Use the embedded project: the running one, or a fresh one.'
complete -c prt -n '__prt_in "/tap"' -l profile -x -a '(__prt_kind profile)' -d 'Use the profile NAME of prt.toml.'
complete -c prt -n '__prt_in "/tap"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/tap"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local"' -a up -d 'Start the embedded project in the foreground.'
complete -c prt -n '__prt_in "/local"' -a run -d 'Run a command against an embedded project of its own.'
complete -c prt -n '__prt_in "/local"' -a status -d 'Show the running projects: URL, age, data folder, and whether they answer.'
complete -c prt -n '__prt_in "/local"' -a env -d 'Print the URL and the keys, for a shell or a .env file.'
complete -c prt -n '__prt_in "/local"' -a token -d 'Print a token that the project accepts, with any role, user and claims.'
complete -c prt -n '__prt_in "/local"' -a traffic -d 'Play a day of the production, compressed, into the running project.'
complete -c prt -n '__prt_in "/local"' -a reset -d 'Restore the seed or the migrations; the keys stay the same.'
complete -c prt -n '__prt_in "/local"' -a stop -d 'Stop the running project and wait until it has ended.'
complete -c prt -n '__prt_in "/local"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/up"' -l port -x -d 'Listen on port N; 0 takes a free one.'
complete -c prt -n '__prt_in "/local/up"' -l data-dir -r -F -d 'Keep the data in DIR.'
complete -c prt -n '__prt_in "/local/up"' -l migrations -r -F -d 'Run your own SQL instead of the seed; repeatable [supabase/migrations and its seed.sql].'
complete -c prt -n '__prt_in "/local/up"' -l no-seed -d 'Create none of the seed\'s tables.'
complete -c prt -n '__prt_in "/local/up"' -l traffic -d 'Simulate a day of the production, compressed.'
complete -c prt -n '__prt_in "/local/up"' -l rate -x -d 'Changes a second of the traffic.'
complete -c prt -n '__prt_in "/local/up"' -l plan -x -d 'Keep the limits of a plan: free, pro or no-cap [no limits].'
complete -c prt -n '__prt_in "/local/up"' -l poll -x -d 'Poll for changes every TIME, and every 500ms if idle [streamed].'
complete -c prt -n '__prt_in "/local/up"' -l like-hosted -d 'Same as --poll 100ms --plan free.'
complete -c prt -n '__prt_in "/local/up"' -l like-cli -d 'Take the ports, keys and passwords of `supabase start`.'
complete -c prt -n '__prt_in "/local/up"' -l signing-key -x -d 'Sign tokens with a key pair, es256 or rs256 [the JWT secret].'
complete -c prt -n '__prt_in "/local/up"' -l anonymous-sign-ins -d 'Let clients sign in without an email or a password.'
complete -c prt -n '__prt_in "/local/up"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/local/up"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/run"' -l port -x -d 'Listen on port N; 0 takes a free one.'
complete -c prt -n '__prt_in "/local/run"' -l data-dir -r -F -d 'Keep the data in DIR.'
complete -c prt -n '__prt_in "/local/run"' -l migrations -r -F -d 'Run your own SQL instead of the seed; repeatable [supabase/migrations and its seed.sql].'
complete -c prt -n '__prt_in "/local/run"' -l no-seed -d 'Create none of the seed\'s tables.'
complete -c prt -n '__prt_in "/local/run"' -l traffic -d 'Simulate a day of the production, compressed.'
complete -c prt -n '__prt_in "/local/run"' -l rate -x -d 'Changes a second of the traffic.'
complete -c prt -n '__prt_in "/local/run"' -l plan -x -d 'Keep the limits of a plan: free, pro or no-cap [no limits].'
complete -c prt -n '__prt_in "/local/run"' -l poll -x -d 'Poll for changes every TIME, and every 500ms if idle [streamed].'
complete -c prt -n '__prt_in "/local/run"' -l like-hosted -d 'Same as --poll 100ms --plan free.'
complete -c prt -n '__prt_in "/local/run"' -l like-cli -d 'Take the ports, keys and passwords of `supabase start`.'
complete -c prt -n '__prt_in "/local/run"' -l signing-key -x -d 'Sign tokens with a key pair, es256 or rs256 [the JWT secret].'
complete -c prt -n '__prt_in "/local/run"' -l anonymous-sign-ins -d 'Let clients sign in without an email or a password.'
complete -c prt -n '__prt_in "/local/run"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/local/run"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/status"' -l port -x -d 'Use the project on port N.'
complete -c prt -n '__prt_in "/local/status"' -l data-dir -r -F -d 'Use the project that keeps its data in DIR.'
complete -c prt -n '__prt_in "/local/status"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/local/status"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/env"' -l format -x -a 'export dotenv json github' -d 'Form of the output.'
complete -c prt -n '__prt_in "/local/env"' -l port -x -d 'Use the project on port N.'
complete -c prt -n '__prt_in "/local/env"' -l data-dir -r -F -d 'Use the project that keeps its data in DIR.'
complete -c prt -n '__prt_in "/local/env"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/local/env"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/token"' -l role -x -d 'Role of the token in the database.'
complete -c prt -n '__prt_in "/local/token"' -l sub -x -d 'User id of the token.'
complete -c prt -n '__prt_in "/local/token"' -l claim -x -d 'Add a claim whose value is JSON or text; repeatable.'
complete -c prt -n '__prt_in "/local/token"' -l expires -x -d 'Expire TIME from now.'
complete -c prt -n '__prt_in "/local/token"' -l port -x -d 'Use the project on port N.'
complete -c prt -n '__prt_in "/local/token"' -l data-dir -r -F -d 'Use the project that keeps its data in DIR.'
complete -c prt -n '__prt_in "/local/token"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/local/token"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/traffic"' -l rate -x -d 'Make N changes a second.'
complete -c prt -n '__prt_in "/local/traffic"' -l seed -x -d 'Seed of the random numbers: the same N makes the same day.'
complete -c prt -n '__prt_in "/local/traffic"' -l port -x -d 'Use the project on port N.'
complete -c prt -n '__prt_in "/local/traffic"' -l data-dir -r -F -d 'Use the project that keeps its data in DIR.'
complete -c prt -n '__prt_in "/local/traffic"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/local/traffic"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/reset"' -l port -x -d 'Use the project on port N.'
complete -c prt -n '__prt_in "/local/reset"' -l data-dir -r -F -d 'Use the project that keeps its data in DIR.'
complete -c prt -n '__prt_in "/local/reset"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/local/reset"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/stop"' -l port -x -d 'Use the project on port N.'
complete -c prt -n '__prt_in "/local/stop"' -l data-dir -r -F -d 'Use the project that keeps its data in DIR.'
complete -c prt -n '__prt_in "/local/stop"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/local/stop"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/demo"' -l rate -x -d 'Make N changes a second.'
complete -c prt -n '__prt_in "/demo"' -l seed -x -d 'Seed of the random numbers: the same N makes the same demo.'
complete -c prt -n '__prt_in "/demo"' -l json -d 'Write NDJSON, which is the default in a pipe.'
complete -c prt -n '__prt_in "/demo"' -s o -l output -x -a 'table json text' -d 'Form of the output, on a terminal or in a pipe.'
complete -c prt -n '__prt_in "/demo"' -l template -x -d 'Write each event as TEXT, such as \'{table} {new[id]}\'.'
complete -c prt -n '__prt_in "/demo"' -l only -x -a '(__prt_kind type)' -d 'Write only lines of these types, listed by `prt help lines`.'
complete -c prt -n '__prt_in "/demo"' -l highlight -x -d 'Highlight what matches REGEX in the view.'
complete -c prt -n '__prt_in "/demo"' -l view -x -d 'Views to show: table, board, budget, feed, stats, presence, cursors.'
complete -c prt -n '__prt_in "/demo"' -l keep -x -d 'Keep the newest N events to scroll back to.'
complete -c prt -n '__prt_in "/demo"' -l edit -d 'Allow the keys that write, as whoever watches.'
complete -c prt -n '__prt_in "/demo"' -l batch -x -d 'Merge the changes of a row within MS milliseconds.'
complete -c prt -n '__prt_in "/demo"' -l verify -l no-verify -d 'Compare what came with the tables over REST, and declare what is missing [verify].'
complete -c prt -n '__prt_in "/demo"' -l record -r -F -d 'Record every event to FILE, for `prt replay`.'
complete -c prt -n '__prt_in "/demo"' -l export -x -d 'Save the last screen as an SVG picture.'
complete -c prt -n '__prt_in "/demo"' -l no-color -d 'Use no colours.'
complete -c prt -n '__prt_in "/demo"' -s n -l count -x -d 'Stop after N live events.'
complete -c prt -n '__prt_in "/demo"' -l duration -x -d 'Stop after TIME, such as 30s, 5m or 1h, and exit with 0.'
complete -c prt -n '__prt_in "/demo"' -l idle -x -d 'Stop after TIME without an event.'
complete -c prt -n '__prt_in "/demo"' -l timeout -x -d 'Give up after TIME and exit with 124.'
complete -c prt -n '__prt_in "/demo"' -l agent -d 'End after 30s, unless --duration or --timeout is given [PRT_AGENT].'
complete -c prt -n '__prt_in "/demo"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/demo"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/init"' -l name -x -d 'Name of the profile.'
complete -c prt -n '__prt_in "/init"' -s y -l yes -d 'Ask nothing and take what is found.'
complete -c prt -n '__prt_in "/init"' -l own -d 'Write to your own configuration instead of this folder.'
complete -c prt -n '__prt_in "/init"' -l url -x -d 'URL of the project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/init"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/init"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/config"' -l json -d 'Write NDJSON, which is the default in a pipe.'
complete -c prt -n '__prt_in "/config"' -l url -x -d 'URL of the project [SUPABASE_URL].'
complete -c prt -n '__prt_in "/config"' -l as -x -a '(__prt_kind who)' -d 'Connect as anon, service or a user\'s EMAIL [PRT_PASSWORD].'
complete -c prt -n '__prt_in "/config"' -l profile -x -a '(__prt_kind profile)' -d 'Use the profile NAME of prt.toml.'
complete -c prt -n '__prt_in "/config"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/config"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/help"' -l json -d 'Write one JSON document that describes every command.'
complete -c prt -n '__prt_in "/help"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/help"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/skill"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/skill"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/schema"' -l markdown -d 'Print a Markdown table instead.'
complete -c prt -n '__prt_in "/schema"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/schema"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/completion"' -a 'bash zsh fish powershell'
complete -c prt -n '__prt_in "/completion"' -l debug -d 'Show a traceback if something fails.'
complete -c prt -n '__prt_in "/completion"' -s h -l help -d 'Show this message and exit.'
