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
complete -c prt -n '__prt_in ""' -a status -d 'Find out why no changes arrive: check everything from here to the tables, and print how to mend it.'
complete -c prt -n '__prt_in ""' -a send -d 'Send a broadcast, such as a cursor move.'
complete -c prt -n '__prt_in ""' -a update -d 'Write a row: show it at once, commit it, and wait until the change comes back over Realtime.'
complete -c prt -n '__prt_in ""' -a replay -d 'Play a recording through the views, lines and expectations of `prt watch`.'
complete -c prt -n '__prt_in ""' -a tap -d 'Forward the traffic between your app and its project, and report what the app does wrong.'
complete -c prt -n '__prt_in ""' -a local -d 'Run an embedded Supabase: a real PostgreSQL, Realtime, REST and Auth on one port of 127.0.0.1.'
complete -c prt -n '__prt_in ""' -a demo -d 'Show prt at work: an embedded project, simulated changes, a live view.'
complete -c prt -n '__prt_in ""' -a init -d 'Write a profile into prt.toml, by asking or from the files of a folder.'
complete -c prt -n '__prt_in ""' -a config -d 'Show the settings that commands would use, and where each came from, without secrets.'
complete -c prt -n '__prt_in ""' -a help -d 'Show a page of the manual, the help of a command, or what an error means; without TOPIC, list all.'
complete -c prt -n '__prt_in ""' -a skill -d 'Print a SKILL.md for an agent: what prt does, its commands, its exit codes, and examples.'
complete -c prt -n '__prt_in ""' -a schema -d 'Print the JSON Schema of the NDJSON lines that commands write with --json or into a pipe.'
complete -c prt -n '__prt_in ""' -a completion -d 'Print the script with which a shell completes commands and options of prt at TAB.'
complete -c prt -n '__prt_in ""' -s V -l version -d 'Show the versions.'
complete -c prt -n '__prt_in ""' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/watch"' -a '(__prt_kind table)'
complete -c prt -n '__prt_in "/watch"' -l schema -x -d 'Schema of every table that is named without one.'
complete -c prt -n '__prt_in "/watch"' -l event -x -a '(__prt_kind event)' -d 'Receive only INSERT, UPDATE or DELETE events; repeatable. [default: all three]'
complete -c prt -n '__prt_in "/watch"' -l filter -x -a '(__prt_kind filter)' -d 'Receive only rows that match, such as status=eq.open, of one table or of all (`prt help guide` lists each OP); repeatable, a row must match all filters of its table.'
complete -c prt -n '__prt_in "/watch"' -l select -x -a '(__prt_kind column)' -d 'Receive only these columns, such as id,title. [default: all columns]'
complete -c prt -n '__prt_in "/watch"' -l broadcast -x -d 'Receive the broadcasts of TOPIC, such as room:1, or only those named EVENT; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l presence -x -d 'Show who is present on TOPIC, such as room:1, and who joins and leaves; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l private -d 'Join each topic as a private channel: the server lets in only whom a policy on realtime.messages allows.'
complete -c prt -n '__prt_in "/watch"' -l include -x -d 'Keep only events whose JSON matches the regular expression REGEX; repeatable, one must match.'
complete -c prt -n '__prt_in "/watch"' -l exclude -x -d 'Drop events whose JSON matches the regular expression REGEX; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l json -d 'Write NDJSON: one JSON object per line. [default: in a pipe]'
complete -c prt -n '__prt_in "/watch"' -s o -l output -x -a 'table json text' -d 'Draw a view (table), write NDJSON (json) or a line of text per event (text). [default: table on a terminal, json in a pipe]'
complete -c prt -n '__prt_in "/watch"' -l template -x -d 'Write each event as TEXT, such as \'{at} {type}\'; `prt help lines` lists the keys.'
complete -c prt -n '__prt_in "/watch"' -l only -x -a '(__prt_kind type)' -d 'Write only lines of these types, such as status,change (`prt help lines` lists all); the last line, of the type end, is always written.'
complete -c prt -n '__prt_in "/watch"' -l highlight -x -d 'Highlight matches of the regular expression REGEX in the table of events; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l view -x -d 'Views to show, in this order: table, board, budget, feed, stats, presence, cursors, details. [default: table]'
complete -c prt -n '__prt_in "/watch"' -l group-by -x -a '(__prt_kind column)' -d 'Column by which the board groups the rows, one stack for each value. [default: status]'
complete -c prt -n '__prt_in "/watch"' -l columns -x -d 'Values whose stacks the board shows first, in this order, such as todo,done.'
complete -c prt -n '__prt_in "/watch"' -l wip -x -d 'Limit the work in progress: mark the stack of VALUE on the board if it holds more than N cards, such as in_progress=3; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l sort -x -a '(__prt_kind column)' -d 'Sort the current rows of a table by COL; -COL sorts in descending order.'
complete -c prt -n '__prt_in "/watch"' -l plan -x -d 'Compare the rate of messages with the limit of a Supabase plan: free, pro or no-cap.'
complete -c prt -n '__prt_in "/watch"' -l details -d 'Show the last change in full, with the old and the new value of each column.'
complete -c prt -n '__prt_in "/watch"' -l once -d 'Print the view of the present state once and exit, instead of following changes.'
complete -c prt -n '__prt_in "/watch"' -l alert -x -d 'Report an alert if a row meets RULE, which is TABLE:CONDITION:SEVERITY, such as \'budgets:spent/amount>=0.8:warn\'; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l fail-on-alert -x -d 'Exit with 1 at the end if there was an alert of SEVERITY (info, warn or critical) or a higher one.'
complete -c prt -n '__prt_in "/watch"' -l bell -d 'Ring the terminal\'s bell at each alert.'
complete -c prt -n '__prt_in "/watch"' -l exec -x -d 'Run CMD for each alert, and pass it the alert as JSON on standard input. CMD is started without a shell.'
complete -c prt -n '__prt_in "/watch"' -l metrics -x -d 'Write Prometheus metrics to FILE.prom, or serve them on this machine, such as at 127.0.0.1:9464.'
complete -c prt -n '__prt_in "/watch"' -l canary -x -d 'Write a row every minute, measure how long its change takes to arrive, and delete the row; needs --metrics.'
complete -c prt -n '__prt_in "/watch"' -l allow-writes -d 'Let --canary write to a project that is not on this machine.'
complete -c prt -n '__prt_in "/watch"' -l keep -x -d 'Keep the newest N events for scrolling back.'
complete -c prt -n '__prt_in "/watch"' -l edit -d 'Allow keys that write rows, such as > to move a card. prt prints which user writes, and asks first if the project is not on this machine.'
complete -c prt -n '__prt_in "/watch"' -l batch -x -d 'Collect changes for MS milliseconds, and merge those of one row.'
complete -c prt -n '__prt_in "/watch"' -l record -r -F -d 'Record every event to FILE, which `prt replay FILE` plays.'
complete -c prt -n '__prt_in "/watch"' -l export -x -d 'Save the last screen as a picture in FILE.svg.'
complete -c prt -n '__prt_in "/watch"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/watch"' -l no-color -d 'Use no colours. [env: NO_COLOR]'
complete -c prt -n '__prt_in "/watch"' -s n -l count -x -d 'Stop after N live events (changes, broadcasts, presence events) and exit with 0.'
complete -c prt -n '__prt_in "/watch"' -l duration -x -d 'Stop after TIME (30s, 5m, 2h) and exit with 0. TIME begins when changes flow (the status READY).'
complete -c prt -n '__prt_in "/watch"' -l idle -x -d 'Stop after TIME (30s, 5m, 2h) without an event and exit with 0.'
complete -c prt -n '__prt_in "/watch"' -l timeout -x -d 'Exit with 124 if the events that you count or expect have not all come within TIME (30s, 5m, 2h). If you neither count nor expect events, the first one must come.'
complete -c prt -n '__prt_in "/watch"' -l agent -d 'Run for a program such as an AI agent: stop after 30s unless another option says when, write lines instead of drawing, use no colours and ask no questions. [env: PRT_AGENT]'
complete -c prt -n '__prt_in "/watch"' -l expect -x -d 'Exit with 0 once this event has come, such as \'INSERT tasks title=x\' or \'broadcast room:1 cue\'; exit with 1 if the command ends before. Repeatable: all must come, in any order.'
complete -c prt -n '__prt_in "/watch"' -l backfill -l no-backfill -d 'After a gap, such as a lost connection, read over REST the rows that were missed.'
complete -c prt -n '__prt_in "/watch"' -l verify -l no-verify -d 'Compare the received events with the tables over REST, and report as a gap what is missing.'
complete -c prt -n '__prt_in "/watch"' -l snapshot -d 'First show the rows that the tables hold now.'
complete -c prt -n '__prt_in "/watch"' -l since -x -d 'Also show rows written since TIME: a duration back (5m, 2h) or a timestamp (2026-11-30T12:00:00Z); deletes can\'t be found.'
complete -c prt -n '__prt_in "/watch"' -l cursor -x -a '(__prt_kind column)' -d 'Column with the time of a row\'s last change, by which missed rows are found. [default: updated_at, else created_at]'
complete -c prt -n '__prt_in "/watch"' -l key -x -a '(__prt_kind column)' -d 'Key columns of TABLE, or of every table, such as user_roles:user_id,role. Needed only if prt can\'t learn them from the changes; repeatable.'
complete -c prt -n '__prt_in "/watch"' -l replay -x -d 'Ask the server for stored broadcasts of private topics since TIME (1h, or a timestamp), at most N of them (1 to 25).'
complete -c prt -n '__prt_in "/watch"' -l reconnect -l no-reconnect -d 'Reconnect after a lost connection; with --no-reconnect, exit with 4 instead.'
complete -c prt -n '__prt_in "/watch"' -l max-reconnects -x -d 'Reconnect at most N times in the whole run, then exit with 4. [default: no limit]'
complete -c prt -n '__prt_in "/watch"' -l wait-for-server -d 'Keep trying until the first connection succeeds. [default: exit with 4 after 10s]'
complete -c prt -n '__prt_in "/watch"' -l url -x -d 'URL of the project. [env: SUPABASE_URL]'
complete -c prt -n '__prt_in "/watch"' -l local -d 'Use the embedded project that `prt local up` started; if none is running, start a temporary one and remove it at the end.'
complete -c prt -n '__prt_in "/watch"' -l as -x -a '(__prt_kind who)' -d 'Who connects: anon, service (with the key in SUPABASE_SECRET_KEY), or the EMAIL of a user, whose password is in PRT_PASSWORD or is asked for. [default: the user of the access token in PRT_TOKEN, else anon]'
complete -c prt -n '__prt_in "/watch"' -l profile -x -a '(__prt_kind profile)' -d 'Profile of prt.toml to use. [default: default]'
complete -c prt -n '__prt_in "/watch"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/watch"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/presence"' -l track -x -d 'Be present yourself, with this value, such as status=busy, or with a JSON object; repeatable.'
complete -c prt -n '__prt_in "/presence"' -l key -x -d 'Your own key in the list of who is present; needs --track. [default: a random one]'
complete -c prt -n '__prt_in "/presence"' -l private -d 'Join each topic as a private channel: the server lets in only whom a policy on realtime.messages allows.'
complete -c prt -n '__prt_in "/presence"' -l columns -x -a '(__prt_kind column)' -d 'Columns to show, in this order, such as user_id,status. [default: the keys that most of those who are present have]'
complete -c prt -n '__prt_in "/presence"' -l once -d 'Print who is present now, and exit.'
complete -c prt -n '__prt_in "/presence"' -l json -d 'Write NDJSON: one JSON object per line. [default: in a pipe]'
complete -c prt -n '__prt_in "/presence"' -s o -l output -x -a 'table json text' -d 'Draw a view (table), write NDJSON (json) or a line of text per event (text). [default: table on a terminal, json in a pipe]'
complete -c prt -n '__prt_in "/presence"' -l template -x -d 'Write each event as TEXT, such as \'{at} {type}\'; `prt help lines` lists the keys.'
complete -c prt -n '__prt_in "/presence"' -l only -x -a '(__prt_kind type)' -d 'Write only lines of these types, such as status,change (`prt help lines` lists all); the last line, of the type end, is always written.'
complete -c prt -n '__prt_in "/presence"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/presence"' -l no-color -d 'Use no colours. [env: NO_COLOR]'
complete -c prt -n '__prt_in "/presence"' -l expect-key -x -d 'Exit with 0 once somebody with the presence key KEY is present; repeatable, all are awaited.'
complete -c prt -n '__prt_in "/presence"' -l min -x -d 'Exit with 0 once N are present.'
complete -c prt -n '__prt_in "/presence"' -s n -l count -x -d 'Stop after N joins, leaves and updates and exit with 0.'
complete -c prt -n '__prt_in "/presence"' -l duration -x -d 'Stop after TIME (30s, 5m, 2h) and exit with 0. TIME begins when changes flow (the status READY).'
complete -c prt -n '__prt_in "/presence"' -l idle -x -d 'Stop after TIME (30s, 5m, 2h) without an event and exit with 0.'
complete -c prt -n '__prt_in "/presence"' -l timeout -x -d 'Exit with 124 if the events that you count or expect have not all come within TIME (30s, 5m, 2h). If you neither count nor expect events, the first one must come.'
complete -c prt -n '__prt_in "/presence"' -l agent -d 'Run for a program such as an AI agent: stop after 30s unless another option says when, write lines instead of drawing, use no colours and ask no questions. [env: PRT_AGENT]'
complete -c prt -n '__prt_in "/presence"' -l reconnect -l no-reconnect -d 'Reconnect after a lost connection; with --no-reconnect, exit with 4 instead.'
complete -c prt -n '__prt_in "/presence"' -l max-reconnects -x -d 'Reconnect at most N times in the whole run, then exit with 4. [default: no limit]'
complete -c prt -n '__prt_in "/presence"' -l wait-for-server -d 'Keep trying until the first connection succeeds. [default: exit with 4 after 10s]'
complete -c prt -n '__prt_in "/presence"' -l url -x -d 'URL of the project. [env: SUPABASE_URL]'
complete -c prt -n '__prt_in "/presence"' -l local -d 'Use the embedded project that `prt local up` started; if none is running, start a temporary one and remove it at the end.'
complete -c prt -n '__prt_in "/presence"' -l as -x -a '(__prt_kind who)' -d 'Who connects: anon, service (with the key in SUPABASE_SECRET_KEY), or the EMAIL of a user, whose password is in PRT_PASSWORD or is asked for. [default: the user of the access token in PRT_TOKEN, else anon]'
complete -c prt -n '__prt_in "/presence"' -l profile -x -a '(__prt_kind profile)' -d 'Profile of prt.toml to use. [default: default]'
complete -c prt -n '__prt_in "/presence"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/presence"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/notify"' -a send -d 'Write a notification and wait until it comes back over Realtime.'
complete -c prt -n '__prt_in "/notify"' -a read -d 'Mark notifications as read over REST.'
complete -c prt -n '__prt_in "/notify"' -l user -x -d 'Id of the user to whom the notifications belong. [default: the user of the session]'
complete -c prt -n '__prt_in "/notify"' -l table -x -a '(__prt_kind table)' -d 'Table that holds the notifications.'
complete -c prt -n '__prt_in "/notify"' -l schema -x -d 'Schema of every table that is named without one.'
complete -c prt -n '__prt_in "/notify"' -l user-column -x -a '(__prt_kind column)' -d 'Column of that table with the user\'s id.'
complete -c prt -n '__prt_in "/notify"' -l snapshot -d 'First show the rows that the tables hold now.'
complete -c prt -n '__prt_in "/notify"' -l bell -d 'Ring the terminal\'s bell for each new notification.'
complete -c prt -n '__prt_in "/notify"' -l exec -x -d 'Run CMD for each new notification, and pass it the event as JSON on standard input. CMD is started without a shell.'
complete -c prt -n '__prt_in "/notify"' -l include -x -d 'Keep only events whose JSON matches the regular expression REGEX; repeatable, one must match.'
complete -c prt -n '__prt_in "/notify"' -l exclude -x -d 'Drop events whose JSON matches the regular expression REGEX; repeatable.'
complete -c prt -n '__prt_in "/notify"' -l json -d 'Write NDJSON: one JSON object per line. [default: in a pipe]'
complete -c prt -n '__prt_in "/notify"' -s o -l output -x -a 'table json text' -d 'Draw a view (table), write NDJSON (json) or a line of text per event (text). [default: table on a terminal, json in a pipe]'
complete -c prt -n '__prt_in "/notify"' -l template -x -d 'Write each event as TEXT, such as \'{at} {type}\'; `prt help lines` lists the keys.'
complete -c prt -n '__prt_in "/notify"' -l only -x -a '(__prt_kind type)' -d 'Write only lines of these types, such as status,change (`prt help lines` lists all); the last line, of the type end, is always written.'
complete -c prt -n '__prt_in "/notify"' -l highlight -x -d 'Highlight matches of the regular expression REGEX in the table of events; repeatable.'
complete -c prt -n '__prt_in "/notify"' -l record -r -F -d 'Record every event to FILE, which `prt replay FILE` plays.'
complete -c prt -n '__prt_in "/notify"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/notify"' -l no-color -d 'Use no colours. [env: NO_COLOR]'
complete -c prt -n '__prt_in "/notify"' -s n -l count -x -d 'Stop after N live events (changes, broadcasts, presence events) and exit with 0.'
complete -c prt -n '__prt_in "/notify"' -l duration -x -d 'Stop after TIME (30s, 5m, 2h) and exit with 0. TIME begins when changes flow (the status READY).'
complete -c prt -n '__prt_in "/notify"' -l idle -x -d 'Stop after TIME (30s, 5m, 2h) without an event and exit with 0.'
complete -c prt -n '__prt_in "/notify"' -l timeout -x -d 'Exit with 124 if the events that you count or expect have not all come within TIME (30s, 5m, 2h). If you neither count nor expect events, the first one must come.'
complete -c prt -n '__prt_in "/notify"' -l agent -d 'Run for a program such as an AI agent: stop after 30s unless another option says when, write lines instead of drawing, use no colours and ask no questions. [env: PRT_AGENT]'
complete -c prt -n '__prt_in "/notify"' -l expect -x -d 'Exit with 0 once this event has come, such as \'INSERT tasks title=x\' or \'broadcast room:1 cue\'; exit with 1 if the command ends before. Repeatable: all must come, in any order.'
complete -c prt -n '__prt_in "/notify"' -l backfill -l no-backfill -d 'After a gap, such as a lost connection, read over REST the rows that were missed.'
complete -c prt -n '__prt_in "/notify"' -l since -x -d 'Also show rows written since TIME: a duration back (5m, 2h) or a timestamp (2026-11-30T12:00:00Z); deletes can\'t be found.'
complete -c prt -n '__prt_in "/notify"' -l cursor -x -a '(__prt_kind column)' -d 'Column with the time of a row\'s last change, by which missed rows are found. [default: updated_at, else created_at]'
complete -c prt -n '__prt_in "/notify"' -l key -x -a '(__prt_kind column)' -d 'Key columns of TABLE, or of every table, such as user_roles:user_id,role. Needed only if prt can\'t learn them from the changes; repeatable.'
complete -c prt -n '__prt_in "/notify"' -l edit -d 'Allow keys that write rows, such as > to move a card. prt prints which user writes, and asks first if the project is not on this machine.'
complete -c prt -n '__prt_in "/notify"' -l reconnect -l no-reconnect -d 'Reconnect after a lost connection; with --no-reconnect, exit with 4 instead.'
complete -c prt -n '__prt_in "/notify"' -l max-reconnects -x -d 'Reconnect at most N times in the whole run, then exit with 4. [default: no limit]'
complete -c prt -n '__prt_in "/notify"' -l wait-for-server -d 'Keep trying until the first connection succeeds. [default: exit with 4 after 10s]'
complete -c prt -n '__prt_in "/notify"' -l url -x -d 'URL of the project. [env: SUPABASE_URL]'
complete -c prt -n '__prt_in "/notify"' -l local -d 'Use the embedded project that `prt local up` started; if none is running, start a temporary one and remove it at the end.'
complete -c prt -n '__prt_in "/notify"' -l as -x -a '(__prt_kind who)' -d 'Who connects: anon, service (with the key in SUPABASE_SECRET_KEY), or the EMAIL of a user, whose password is in PRT_PASSWORD or is asked for. [default: the user of the access token in PRT_TOKEN, else anon]'
complete -c prt -n '__prt_in "/notify"' -l profile -x -a '(__prt_kind profile)' -d 'Profile of prt.toml to use. [default: default]'
complete -c prt -n '__prt_in "/notify"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/notify"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/notify/send"' -l title -x -d 'Title of the notification.'
complete -c prt -n '__prt_in "/notify/send"' -l message -x -d 'Text of the notification.'
complete -c prt -n '__prt_in "/notify/send"' -l type -x -d 'Type of the notification, such as info or success.'
complete -c prt -n '__prt_in "/notify/send"' -l set -x -d 'Set another column of the row to VALUE, which is JSON or text; repeatable.'
complete -c prt -n '__prt_in "/notify/send"' -l user -x -d 'Id of the user to whom the notifications belong. [default: the user of the session]'
complete -c prt -n '__prt_in "/notify/send"' -l table -x -a '(__prt_kind table)' -d 'Table that holds the notifications.'
complete -c prt -n '__prt_in "/notify/send"' -l schema -x -d 'Schema of every table that is named without one.'
complete -c prt -n '__prt_in "/notify/send"' -l user-column -x -a '(__prt_kind column)' -d 'Column of that table with the user\'s id.'
complete -c prt -n '__prt_in "/notify/send"' -l timeout -x -d 'Exit with 1 if the notification does not come back over Realtime within TIME (10s, 1m).'
complete -c prt -n '__prt_in "/notify/send"' -l no-wait -d 'Exit after writing, without waiting for the notification to come back.'
complete -c prt -n '__prt_in "/notify/send"' -l json -d 'Write one JSON object. [default: in a pipe]'
complete -c prt -n '__prt_in "/notify/send"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/notify/send"' -l url -x -d 'URL of the project. [env: SUPABASE_URL]'
complete -c prt -n '__prt_in "/notify/send"' -l local -d 'Use the embedded project that `prt local up` started; if none is running, start a temporary one and remove it at the end.'
complete -c prt -n '__prt_in "/notify/send"' -l as -x -a '(__prt_kind who)' -d 'Who connects: anon, service (with the key in SUPABASE_SECRET_KEY), or the EMAIL of a user, whose password is in PRT_PASSWORD or is asked for. [default: the user of the access token in PRT_TOKEN, else anon]'
complete -c prt -n '__prt_in "/notify/send"' -l profile -x -a '(__prt_kind profile)' -d 'Profile of prt.toml to use. [default: default]'
complete -c prt -n '__prt_in "/notify/send"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/notify/send"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/notify/read"' -l all -d 'Mark all unread notifications of the user.'
complete -c prt -n '__prt_in "/notify/read"' -l user -x -d 'Id of the user to whom the notifications belong. [default: the user of the session]'
complete -c prt -n '__prt_in "/notify/read"' -l table -x -a '(__prt_kind table)' -d 'Table that holds the notifications.'
complete -c prt -n '__prt_in "/notify/read"' -l schema -x -d 'Schema of every table that is named without one.'
complete -c prt -n '__prt_in "/notify/read"' -l user-column -x -a '(__prt_kind column)' -d 'Column of that table with the user\'s id.'
complete -c prt -n '__prt_in "/notify/read"' -l json -d 'Write one JSON object. [default: in a pipe]'
complete -c prt -n '__prt_in "/notify/read"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/notify/read"' -l url -x -d 'URL of the project. [env: SUPABASE_URL]'
complete -c prt -n '__prt_in "/notify/read"' -l local -d 'Use the embedded project that `prt local up` started; if none is running, start a temporary one and remove it at the end.'
complete -c prt -n '__prt_in "/notify/read"' -l as -x -a '(__prt_kind who)' -d 'Who connects: anon, service (with the key in SUPABASE_SECRET_KEY), or the EMAIL of a user, whose password is in PRT_PASSWORD or is asked for. [default: the user of the access token in PRT_TOKEN, else anon]'
complete -c prt -n '__prt_in "/notify/read"' -l profile -x -a '(__prt_kind profile)' -d 'Profile of prt.toml to use. [default: default]'
complete -c prt -n '__prt_in "/notify/read"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/notify/read"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/test"' -a '(__prt_kind suite)'
complete -c prt -n '__prt_in "/test"' -l list -d 'List the suites and what each of them needs, and exit.'
complete -c prt -n '__prt_in "/test"' -l clean -d 'Only delete the rows that interrupted test runs left behind, and exit.'
complete -c prt -n '__prt_in "/test"' -l require -x -a '(__prt_kind suite)' -d 'Exit with 1 if a check of SUITE (see --list) is skipped; repeatable.'
complete -c prt -n '__prt_in "/test"' -l allow-writes -d 'Write test rows also to a project that is not on this machine. [default: skip the checks that write]'
complete -c prt -n '__prt_in "/test"' -l table -x -d 'Table in which the tests write rows; repeatable with --write-contract. [default: notifications]'
complete -c prt -n '__prt_in "/test"' -l marker -x -a '(__prt_kind column)' -d 'Text column in which the tests mark their own rows. [default: one of the usual names, such as title or name]'
complete -c prt -n '__prt_in "/test"' -l stranger -x -d 'Sign in as a second user, EMAIL, who must not see the first user\'s rows; the password is read from PRT_STRANGER_PASSWORD.'
complete -c prt -n '__prt_in "/test"' -l private-topic -x -d 'Private topic that the tests may use; repeatable with --write-contract. [default: new topics that begin with prt-test:]'
complete -c prt -n '__prt_in "/test"' -l repeat -x -d 'Run the chosen suites N times.'
complete -c prt -n '__prt_in "/test"' -l wait -x -d 'Wait at most TIME (15s, 1m) for each answer or event.'
complete -c prt -n '__prt_in "/test"' -l contract -r -F -d 'Check that everybody (anon, service, a user) receives exactly the events that FILE lists (`prt help contract`); exit with 1 if not.'
complete -c prt -n '__prt_in "/test"' -l write-contract -r -F -d 'Find out who receives which events now, and write it to FILE, for --contract.'
complete -c prt -n '__prt_in "/test"' -l samples -x -d 'Number of rows that the `latency` suite writes.'
complete -c prt -n '__prt_in "/test"' -l clients -x -d 'Number of subscribers in the `load` suite.'
complete -c prt -n '__prt_in "/test"' -l rate -x -d 'Number of rows per second in the `load` suite.'
complete -c prt -n '__prt_in "/test"' -l duration -x -d 'Write rows in the `load` suite for TIME (10s, 5m); the rate rises in four steps.'
complete -c prt -n '__prt_in "/test"' -l limit -x -a 'free pro no-cap none' -d 'Keep the `load` suite within the message limit of this Supabase plan.'
complete -c prt -n '__prt_in "/test"' -l max-lag -x -d 'Exit with 1 if this percentile of the lag (p50, p95, p99 or max) is above the limit, such as p95=500ms; repeatable.'
complete -c prt -n '__prt_in "/test"' -l min-delivery -x -d 'Exit with 1 if less than PERCENT (such as 99.9) of the changes are delivered.'
complete -c prt -n '__prt_in "/test"' -l junit -r -F -d 'Also write the results to FILE as JUnit XML.'
complete -c prt -n '__prt_in "/test"' -l report -r -F -d 'Also write the results to FILE as one HTML page.'
complete -c prt -n '__prt_in "/test"' -l json -d 'Write NDJSON: one JSON object per line. [default: in a pipe]'
complete -c prt -n '__prt_in "/test"' -s o -l output -x -a 'table json text' -d 'Draw a view (table), write NDJSON (json) or a line of text per event (text). [default: table on a terminal, json in a pipe]'
complete -c prt -n '__prt_in "/test"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/test"' -l no-color -d 'Use no colours. [env: NO_COLOR]'
complete -c prt -n '__prt_in "/test"' -l url -x -d 'URL of the project. [env: SUPABASE_URL]'
complete -c prt -n '__prt_in "/test"' -l local -d 'Use the embedded project that `prt local up` started; if none is running, start a temporary one and remove it at the end.'
complete -c prt -n '__prt_in "/test"' -l as -x -a '(__prt_kind who)' -d 'Who connects: anon, service (with the key in SUPABASE_SECRET_KEY), or the EMAIL of a user, whose password is in PRT_PASSWORD or is asked for. [default: the user of the access token in PRT_TOKEN, else anon]'
complete -c prt -n '__prt_in "/test"' -l profile -x -a '(__prt_kind profile)' -d 'Profile of prt.toml to use. [default: default]'
complete -c prt -n '__prt_in "/test"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/test"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/audit"' -a '(__prt_kind table)'
complete -c prt -n '__prt_in "/audit"' -l schema -x -d 'Schema of every table that is named without one.'
complete -c prt -n '__prt_in "/audit"' -l filter -x -a '(__prt_kind filter)' -d 'Receive only rows that match, such as status=eq.open, of one table or of all (`prt help guide` lists each OP); repeatable, a row must match all filters of its table.'
complete -c prt -n '__prt_in "/audit"' -l duration -x -d 'Account for the changes that are committed within TIME (60s, 10m, 2h).'
complete -c prt -n '__prt_in "/audit"' -l late-after -x -d 'Count a change as late if it arrives more than TIME (5s, 1m) after its commit.'
complete -c prt -n '__prt_in "/audit"' -l min-delivery -x -d 'Also exit with 1 if less than PERCENT (such as 99.9) of the changes that should arrive come whole and in time.'
complete -c prt -n '__prt_in "/audit"' -l allow-slot -d 'Allow the audit to open its replication slot on a database that is not on this machine.'
complete -c prt -n '__prt_in "/audit"' -l max-wal -x -d 'Stop and exit with 1 if the slot makes the server keep more than SIZE (64MB, 1GB) of its write-ahead log.'
complete -c prt -n '__prt_in "/audit"' -l json -d 'Write NDJSON: one JSON object per line. [default: in a pipe]'
complete -c prt -n '__prt_in "/audit"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/audit"' -l no-color -d 'Use no colours. [env: NO_COLOR]'
complete -c prt -n '__prt_in "/audit"' -l url -x -d 'URL of the project. [env: SUPABASE_URL]'
complete -c prt -n '__prt_in "/audit"' -l local -d 'Use the embedded project that `prt local up` started; if none is running, start a temporary one and remove it at the end.'
complete -c prt -n '__prt_in "/audit"' -l as -x -a '(__prt_kind who)' -d 'Who connects: anon, service (with the key in SUPABASE_SECRET_KEY), or the EMAIL of a user, whose password is in PRT_PASSWORD or is asked for. [default: the user of the access token in PRT_TOKEN, else anon]'
complete -c prt -n '__prt_in "/audit"' -l profile -x -a '(__prt_kind profile)' -d 'Profile of prt.toml to use. [default: default]'
complete -c prt -n '__prt_in "/audit"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/audit"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/status"' -a '(__prt_kind table)'
complete -c prt -n '__prt_in "/status"' -l schema -x -d 'Schema of every table that is named without one.'
complete -c prt -n '__prt_in "/status"' -l event -x -a '(__prt_kind event)' -d 'Receive only INSERT, UPDATE or DELETE events; repeatable. [default: all three]'
complete -c prt -n '__prt_in "/status"' -l filter -x -a '(__prt_kind filter)' -d 'Receive only rows that match, such as status=eq.open, of one table or of all (`prt help guide` lists each OP); repeatable, a row must match all filters of its table.'
complete -c prt -n '__prt_in "/status"' -l select -x -a '(__prt_kind column)' -d 'Receive only these columns, such as id,title. [default: all columns]'
complete -c prt -n '__prt_in "/status"' -l private -d 'Join each topic as a private channel: the server lets in only whom a policy on realtime.messages allows.'
complete -c prt -n '__prt_in "/status"' -l topic -x -d 'Topic of the channel that the diagnosis joins.'
complete -c prt -n '__prt_in "/status"' -l strict -d 'Exit with 1 if there are warnings, even if nothing failed.'
complete -c prt -n '__prt_in "/status"' -s w -l watch -d 'After the diagnosis, go on watching and compare the traffic with the limits of --plan.'
complete -c prt -n '__prt_in "/status"' -l plan -x -d 'Plan of the project (free, pro or no-cap), to whose limits --watch compares its figures.'
complete -c prt -n '__prt_in "/status"' -l duration -x -d 'Stop --watch after TIME (30s, 5m, 2h). [default: at Ctrl-C]'
complete -c prt -n '__prt_in "/status"' -l agent -d 'Run for a program such as an AI agent: stop after 30s unless another option says when, write lines instead of drawing, use no colours and ask no questions. [env: PRT_AGENT]'
complete -c prt -n '__prt_in "/status"' -l json -d 'Write NDJSON, with one line for each finding.'
complete -c prt -n '__prt_in "/status"' -l format -x -a 'text json nagios prometheus' -d 'Write sentences (text), NDJSON as with --json (json), metrics (prometheus), or one line with the exit codes 0 to 3 of a monitoring plugin (nagios). [default: text]'
complete -c prt -n '__prt_in "/status"' -l bundle -x -d 'Create FILE.zip for a bug report, which holds no secrets and no values of rows.'
complete -c prt -n '__prt_in "/status"' -l no-color -d 'Use no colours. [env: NO_COLOR]'
complete -c prt -n '__prt_in "/status"' -l url -x -d 'URL of the project. [env: SUPABASE_URL]'
complete -c prt -n '__prt_in "/status"' -l local -d 'Use the embedded project that `prt local up` started; if none is running, start a temporary one and remove it at the end.'
complete -c prt -n '__prt_in "/status"' -l as -x -a '(__prt_kind who)' -d 'Who connects: anon, service (with the key in SUPABASE_SECRET_KEY), or the EMAIL of a user, whose password is in PRT_PASSWORD or is asked for. [default: the user of the access token in PRT_TOKEN, else anon]'
complete -c prt -n '__prt_in "/status"' -l profile -x -a '(__prt_kind profile)' -d 'Profile of prt.toml to use. [default: default]'
complete -c prt -n '__prt_in "/status"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/status"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/send"' -l private -d 'Join each topic as a private channel: the server lets in only whom a policy on realtime.messages allows.'
complete -c prt -n '__prt_in "/send"' -l http -d 'Send over HTTP instead of a websocket, which needs no right to read a private topic.'
complete -c prt -n '__prt_in "/send"' -l rate -x -d 'Send at most N messages per second. [default: no limit]'
complete -c prt -n '__prt_in "/send"' -l repeat -x -d 'Send the message N times.'
complete -c prt -n '__prt_in "/send"' -l persist -d 'Ask the server to store the messages for clients that join later; needs --private.'
complete -c prt -n '__prt_in "/send"' -l ttl -x -d 'Let the server delete the stored messages after TIME (10m, 2h); needs --persist.'
complete -c prt -n '__prt_in "/send"' -l timeout -x -d 'Exit with 1 if the server does not acknowledge a message within TIME (5s, 1m).'
complete -c prt -n '__prt_in "/send"' -l json -d 'Write a JSON line for each message: whether it was acknowledged, and after how many milliseconds.'
complete -c prt -n '__prt_in "/send"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/send"' -l url -x -d 'URL of the project. [env: SUPABASE_URL]'
complete -c prt -n '__prt_in "/send"' -l local -d 'Use the embedded project that `prt local up` started; if none is running, start a temporary one and remove it at the end.'
complete -c prt -n '__prt_in "/send"' -l as -x -a '(__prt_kind who)' -d 'Who connects: anon, service (with the key in SUPABASE_SECRET_KEY), or the EMAIL of a user, whose password is in PRT_PASSWORD or is asked for. [default: the user of the access token in PRT_TOKEN, else anon]'
complete -c prt -n '__prt_in "/send"' -l profile -x -a '(__prt_kind profile)' -d 'Profile of prt.toml to use. [default: default]'
complete -c prt -n '__prt_in "/send"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/send"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/update"' -a '(__prt_kind table)'
complete -c prt -n '__prt_in "/update"' -l if -x -d 'Write only if the column COL of the row still has this value; repeatable, all must match.'
complete -c prt -n '__prt_in "/update"' -l timeout -x -d 'Give up and exit with 1 if the change does not come back over Realtime within TIME (30s, 1m).'
complete -c prt -n '__prt_in "/update"' -l json -d 'Write NDJSON: one JSON object per line. [default: in a pipe]'
complete -c prt -n '__prt_in "/update"' -s o -l output -x -a 'table json text' -d 'Draw a view (table), write NDJSON (json) or a line of text per event (text). [default: table on a terminal, json in a pipe]'
complete -c prt -n '__prt_in "/update"' -l template -x -d 'Write each event as TEXT, such as \'{at} {type}\'; `prt help lines` lists the keys.'
complete -c prt -n '__prt_in "/update"' -l only -x -a '(__prt_kind type)' -d 'Write only lines of these types, such as status,change (`prt help lines` lists all); the last line, of the type end, is always written.'
complete -c prt -n '__prt_in "/update"' -l export -x -d 'Save the last screen as a picture in FILE.svg.'
complete -c prt -n '__prt_in "/update"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/update"' -l no-color -d 'Use no colours. [env: NO_COLOR]'
complete -c prt -n '__prt_in "/update"' -l url -x -d 'URL of the project. [env: SUPABASE_URL]'
complete -c prt -n '__prt_in "/update"' -l local -d 'Use the embedded project that `prt local up` started; if none is running, start a temporary one and remove it at the end.'
complete -c prt -n '__prt_in "/update"' -l as -x -a '(__prt_kind who)' -d 'Who connects: anon, service (with the key in SUPABASE_SECRET_KEY), or the EMAIL of a user, whose password is in PRT_PASSWORD or is asked for. [default: the user of the access token in PRT_TOKEN, else anon]'
complete -c prt -n '__prt_in "/update"' -l profile -x -a '(__prt_kind profile)' -d 'Profile of prt.toml to use. [default: default]'
complete -c prt -n '__prt_in "/update"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/update"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/replay"' -F
complete -c prt -n '__prt_in "/replay"' -l speed -x -d 'Play N times as fast as it was recorded, or max for no pauses at all. [default: 1 in a view, max in a pipe]'
complete -c prt -n '__prt_in "/replay"' -l from -x -d 'Start at TIME: a timestamp, or a time after the start of the recording (30s, 5m, 2h).'
complete -c prt -n '__prt_in "/replay"' -l to -x -d 'Stop at TIME: a timestamp, or a time after the start of the recording (30s, 5m, 2h).'
complete -c prt -n '__prt_in "/replay"' -l include -x -d 'Keep only events whose JSON matches the regular expression REGEX; repeatable, one must match.'
complete -c prt -n '__prt_in "/replay"' -l exclude -x -d 'Drop events whose JSON matches the regular expression REGEX; repeatable.'
complete -c prt -n '__prt_in "/replay"' -l json -d 'Write NDJSON: one JSON object per line. [default: in a pipe]'
complete -c prt -n '__prt_in "/replay"' -s o -l output -x -a 'table json text' -d 'Draw a view (table), write NDJSON (json) or a line of text per event (text). [default: table on a terminal, json in a pipe]'
complete -c prt -n '__prt_in "/replay"' -l template -x -d 'Write each event as TEXT, such as \'{at} {type}\'; `prt help lines` lists the keys.'
complete -c prt -n '__prt_in "/replay"' -l only -x -a '(__prt_kind type)' -d 'Write only lines of these types, such as status,change (`prt help lines` lists all); the last line, of the type end, is always written.'
complete -c prt -n '__prt_in "/replay"' -l highlight -x -d 'Highlight matches of the regular expression REGEX in the table of events; repeatable.'
complete -c prt -n '__prt_in "/replay"' -l view -x -d 'Views to show, in this order: table, board, budget, feed, stats, presence, cursors, details. [default: table]'
complete -c prt -n '__prt_in "/replay"' -l group-by -x -a '(__prt_kind column)' -d 'Column by which the board groups the rows, one stack for each value. [default: status]'
complete -c prt -n '__prt_in "/replay"' -l columns -x -d 'Values whose stacks the board shows first, in this order, such as todo,done.'
complete -c prt -n '__prt_in "/replay"' -l wip -x -d 'Limit the work in progress: mark the stack of VALUE on the board if it holds more than N cards, such as in_progress=3; repeatable.'
complete -c prt -n '__prt_in "/replay"' -l sort -x -a '(__prt_kind column)' -d 'Sort the current rows of a table by COL; -COL sorts in descending order.'
complete -c prt -n '__prt_in "/replay"' -l plan -x -d 'Compare the rate of messages with the limit of a Supabase plan: free, pro or no-cap.'
complete -c prt -n '__prt_in "/replay"' -l details -d 'Show the last change in full, with the old and the new value of each column.'
complete -c prt -n '__prt_in "/replay"' -l once -d 'Print the view of the present state once and exit, instead of following changes.'
complete -c prt -n '__prt_in "/replay"' -l alert -x -d 'Report an alert if a row meets RULE, which is TABLE:CONDITION:SEVERITY, such as \'budgets:spent/amount>=0.8:warn\'; repeatable.'
complete -c prt -n '__prt_in "/replay"' -l fail-on-alert -x -d 'Exit with 1 at the end if there was an alert of SEVERITY (info, warn or critical) or a higher one.'
complete -c prt -n '__prt_in "/replay"' -l keep -x -d 'Keep the newest N events for scrolling back.'
complete -c prt -n '__prt_in "/replay"' -l batch -x -d 'Collect changes for MS milliseconds, and merge those of one row.'
complete -c prt -n '__prt_in "/replay"' -l export -x -d 'Save the last screen as a picture in FILE.svg.'
complete -c prt -n '__prt_in "/replay"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/replay"' -l no-color -d 'Use no colours. [env: NO_COLOR]'
complete -c prt -n '__prt_in "/replay"' -s n -l count -x -d 'Stop after N live events (changes, broadcasts, presence events) and exit with 0.'
complete -c prt -n '__prt_in "/replay"' -l expect -x -d 'Exit with 0 once this event has come, such as \'INSERT tasks title=x\' or \'broadcast room:1 cue\'; exit with 1 if the command ends before. Repeatable: all must come, in any order.'
complete -c prt -n '__prt_in "/replay"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/replay"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/tap"' -l port -x -d 'Listen on port N of 127.0.0.1; 0 takes a free port.'
complete -c prt -n '__prt_in "/tap"' -l view -d 'Draw connections, channels and findings on the terminal.'
complete -c prt -n '__prt_in "/tap"' -l command-log -r -F -d 'Write the output of COMMAND to FILE; --view needs it if there is a COMMAND.'
complete -c prt -n '__prt_in "/tap"' -l frames -d 'Also write a line for each websocket frame.'
complete -c prt -n '__prt_in "/tap"' -l json -d 'Write NDJSON: one JSON object per line. [default: in a pipe]'
complete -c prt -n '__prt_in "/tap"' -s o -l output -x -a 'table json text' -d 'Draw a view (table), write NDJSON (json) or a line of text per event (text). [default: table on a terminal, json in a pipe]'
complete -c prt -n '__prt_in "/tap"' -l only -x -a '(__prt_kind type)' -d 'Write only lines of these types, such as status,change (`prt help lines` lists all); the last line, of the type end, is always written.'
complete -c prt -n '__prt_in "/tap"' -l record -r -F -d 'Record every event to FILE, which `prt replay FILE` plays.'
complete -c prt -n '__prt_in "/tap"' -s q -l quiet -d 'Write no notices to standard error.'
complete -c prt -n '__prt_in "/tap"' -l no-color -d 'Use no colours. [env: NO_COLOR]'
complete -c prt -n '__prt_in "/tap"' -l duration -x -d 'Stop after TIME (30s, 5m, 2h) and exit with 0. TIME begins when changes flow (the status READY).'
complete -c prt -n '__prt_in "/tap"' -l cut -x -d 'Cut all connections once (at=10s,for=5s) or repeatedly (every=60s,for=2s), and accept none meanwhile; without `for`, accept new ones at once. Repeatable.'
complete -c prt -n '__prt_in "/tap"' -l delay -x -d 'Delay each websocket frame by TIME (300ms, 1s), or by a random time around it (300ms+-100ms).'
complete -c prt -n '__prt_in "/tap"' -l half-open -d 'Stop forwarding on the open connections without closing them, at the time of --fault-at.'
complete -c prt -n '__prt_in "/tap"' -l refuse -x -d 'Close all websockets at the time of --fault-at, and refuse new ones with STATUS (401, 403, 429 or 503) for the time of --fault-for.'
complete -c prt -n '__prt_in "/tap"' -l expire-token -d 'Treat the users\' tokens as expired, as the server would, from the time of --fault-at on.'
complete -c prt -n '__prt_in "/tap"' -l drop-changes -x -d 'Drop a random part of the changes, such as 5%.'
complete -c prt -n '__prt_in "/tap"' -l fault-at -x -d 'Begin --half-open, --refuse and --expire-token TIME (10s, 1m) after the app\'s first websocket has opened.'
complete -c prt -n '__prt_in "/tap"' -l fault-for -x -d 'End --refuse after TIME (5s, 1m).'
complete -c prt -n '__prt_in "/tap"' -l chaos-seed -x -d 'Seed of the random delays and drops: the same N repeats them exactly. [default: random]'
complete -c prt -n '__prt_in "/tap"' -l expect-recovery -x -d 'Exit with 1 unless the app recovers within TIME (15s, 1m) after each fault: it is connected, its channels are joined, and its tables are read again.'
complete -c prt -n '__prt_in "/tap"' -l url -x -d 'URL of the project. [env: SUPABASE_URL]'
complete -c prt -n '__prt_in "/tap"' -l local -d 'Use the embedded project that `prt local up` started; if none is running, start a temporary one and remove it at the end.'
complete -c prt -n '__prt_in "/tap"' -l profile -x -a '(__prt_kind profile)' -d 'Profile of prt.toml to use. [default: default]'
complete -c prt -n '__prt_in "/tap"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/tap"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local"' -a up -d 'Start the embedded project in the foreground.'
complete -c prt -n '__prt_in "/local"' -a run -d 'Run a command against an embedded project of its own.'
complete -c prt -n '__prt_in "/local"' -a status -d 'Show the running projects: URL, age, data folder, and whether they answer.'
complete -c prt -n '__prt_in "/local"' -a env -d 'Print the URL and the keys of the running project, for a shell or a .env file.'
complete -c prt -n '__prt_in "/local"' -a token -d 'Print a token that the running project accepts, with any role, user and claims.'
complete -c prt -n '__prt_in "/local"' -a traffic -d 'Simulate people at work in the running project, until Ctrl-C.'
complete -c prt -n '__prt_in "/local"' -a reset -d 'Reset the running project to the tables and rows of its start; the keys stay the same.'
complete -c prt -n '__prt_in "/local"' -a stop -d 'Stop the running project and wait until it has ended.'
complete -c prt -n '__prt_in "/local"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/up"' -l port -x -d 'Listen on port N of 127.0.0.1; 0 takes a free port. [default: 54321, or a free port]'
complete -c prt -n '__prt_in "/local/up"' -l data-dir -r -F -d 'Keep the database and the keys in the folder DIR. [default: delete them at the end]'
complete -c prt -n '__prt_in "/local/up"' -l migrations -r -F -d 'Run your own SQL instead of the demo\'s: a file, or the files of a folder in the order of their names; without PATH, supabase/migrations and its seeds; repeatable.'
complete -c prt -n '__prt_in "/local/up"' -l no-seed -d 'Start without the demo\'s tables and rows.'
complete -c prt -n '__prt_in "/local/up"' -l traffic -d 'Simulate people at work on the demo\'s tables: rows change, colleagues come, go and move cursors.'
complete -c prt -n '__prt_in "/local/up"' -l rate -x -d 'Number of changes per second that --traffic makes.'
complete -c prt -n '__prt_in "/local/up"' -l plan -x -d 'Enforce the limits of a Supabase plan: free, pro or no-cap. [default: no limits]'
complete -c prt -n '__prt_in "/local/up"' -l poll -x -d 'Deliver changes every TIME (100ms, 1s), or every 500ms while nothing changes, as a hosted project does. [default: at once]'
complete -c prt -n '__prt_in "/local/up"' -l like-hosted -d 'Behave like a hosted project: the same as --poll 100ms --plan free.'
complete -c prt -n '__prt_in "/local/up"' -l like-cli -d 'Use the ports, keys and passwords of `supabase start`, so that an app that is set up for it runs unchanged.'
complete -c prt -n '__prt_in "/local/up"' -l signing-key -x -d 'Sign users\' tokens with a key pair of this KIND: es256 or rs256. [default: with the JWT secret]'
complete -c prt -n '__prt_in "/local/up"' -l anonymous-sign-ins -d 'Let clients sign in without an email or a password, as signInAnonymously() does.'
complete -c prt -n '__prt_in "/local/up"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/local/up"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/run"' -l port -x -d 'Listen on port N of 127.0.0.1; 0 takes a free port.'
complete -c prt -n '__prt_in "/local/run"' -l data-dir -r -F -d 'Keep the database and the keys in the folder DIR. [default: delete them at the end]'
complete -c prt -n '__prt_in "/local/run"' -l migrations -r -F -d 'Run your own SQL instead of the demo\'s: a file, or the files of a folder in the order of their names; without PATH, supabase/migrations and its seeds; repeatable.'
complete -c prt -n '__prt_in "/local/run"' -l no-seed -d 'Start without the demo\'s tables and rows.'
complete -c prt -n '__prt_in "/local/run"' -l traffic -d 'Simulate people at work on the demo\'s tables: rows change, colleagues come, go and move cursors.'
complete -c prt -n '__prt_in "/local/run"' -l rate -x -d 'Number of changes per second that --traffic makes.'
complete -c prt -n '__prt_in "/local/run"' -l plan -x -d 'Enforce the limits of a Supabase plan: free, pro or no-cap. [default: no limits]'
complete -c prt -n '__prt_in "/local/run"' -l poll -x -d 'Deliver changes every TIME (100ms, 1s), or every 500ms while nothing changes, as a hosted project does. [default: at once]'
complete -c prt -n '__prt_in "/local/run"' -l like-hosted -d 'Behave like a hosted project: the same as --poll 100ms --plan free.'
complete -c prt -n '__prt_in "/local/run"' -l like-cli -d 'Use the ports, keys and passwords of `supabase start`, so that an app that is set up for it runs unchanged.'
complete -c prt -n '__prt_in "/local/run"' -l signing-key -x -d 'Sign users\' tokens with a key pair of this KIND: es256 or rs256. [default: with the JWT secret]'
complete -c prt -n '__prt_in "/local/run"' -l anonymous-sign-ins -d 'Let clients sign in without an email or a password, as signInAnonymously() does.'
complete -c prt -n '__prt_in "/local/run"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/local/run"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/status"' -l port -x -d 'Choose the project that listens on port N.'
complete -c prt -n '__prt_in "/local/status"' -l data-dir -r -F -d 'Choose the project that keeps its data in the folder DIR.'
complete -c prt -n '__prt_in "/local/status"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/local/status"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/env"' -l format -x -a 'export dotenv json github' -d 'Write lines for a shell (export), a .env file (dotenv), one JSON object (json), or lines for the file $GITHUB_ENV (github).'
complete -c prt -n '__prt_in "/local/env"' -l port -x -d 'Choose the project that listens on port N.'
complete -c prt -n '__prt_in "/local/env"' -l data-dir -r -F -d 'Choose the project that keeps its data in the folder DIR.'
complete -c prt -n '__prt_in "/local/env"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/local/env"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/token"' -l role -x -d 'Database role of the token, such as anon, authenticated or service_role.'
complete -c prt -n '__prt_in "/local/token"' -l sub -x -d 'Id of the user to whom the token belongs. [default: no user]'
complete -c prt -n '__prt_in "/local/token"' -l claim -x -d 'Add a claim, whose VALUE is JSON or text, such as team=7; repeatable.'
complete -c prt -n '__prt_in "/local/token"' -l expires -x -d 'Let the token expire after TIME (30s, 5m, 2h).'
complete -c prt -n '__prt_in "/local/token"' -l port -x -d 'Choose the project that listens on port N.'
complete -c prt -n '__prt_in "/local/token"' -l data-dir -r -F -d 'Choose the project that keeps its data in the folder DIR.'
complete -c prt -n '__prt_in "/local/token"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/local/token"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/traffic"' -l rate -x -d 'Make N changes per second.'
complete -c prt -n '__prt_in "/local/traffic"' -l seed -x -d 'Seed of the random changes: the same N makes the same changes. [default: random]'
complete -c prt -n '__prt_in "/local/traffic"' -l port -x -d 'Choose the project that listens on port N.'
complete -c prt -n '__prt_in "/local/traffic"' -l data-dir -r -F -d 'Choose the project that keeps its data in the folder DIR.'
complete -c prt -n '__prt_in "/local/traffic"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/local/traffic"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/reset"' -l port -x -d 'Choose the project that listens on port N.'
complete -c prt -n '__prt_in "/local/reset"' -l data-dir -r -F -d 'Choose the project that keeps its data in the folder DIR.'
complete -c prt -n '__prt_in "/local/reset"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/local/reset"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/local/stop"' -l port -x -d 'Choose the project that listens on port N.'
complete -c prt -n '__prt_in "/local/stop"' -l data-dir -r -F -d 'Choose the project that keeps its data in the folder DIR.'
complete -c prt -n '__prt_in "/local/stop"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/local/stop"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/demo"' -l rate -x -d 'Make N changes per second.'
complete -c prt -n '__prt_in "/demo"' -l seed -x -d 'Seed of the random changes: the same N makes the same demo. [default: random]'
complete -c prt -n '__prt_in "/demo"' -l json -d 'Write NDJSON: one JSON object per line. [default: in a pipe]'
complete -c prt -n '__prt_in "/demo"' -s o -l output -x -a 'table json text' -d 'Draw a view (table), write NDJSON (json) or a line of text per event (text). [default: table on a terminal, json in a pipe]'
complete -c prt -n '__prt_in "/demo"' -l template -x -d 'Write each event as TEXT, such as \'{at} {type}\'; `prt help lines` lists the keys.'
complete -c prt -n '__prt_in "/demo"' -l only -x -a '(__prt_kind type)' -d 'Write only lines of these types, such as status,change (`prt help lines` lists all); the last line, of the type end, is always written.'
complete -c prt -n '__prt_in "/demo"' -l highlight -x -d 'Highlight matches of the regular expression REGEX in the table of events; repeatable.'
complete -c prt -n '__prt_in "/demo"' -l view -x -d 'Views to show, in this order: table, board, budget, feed, stats, presence, cursors, details. [default: table]'
complete -c prt -n '__prt_in "/demo"' -l keep -x -d 'Keep the newest N events for scrolling back.'
complete -c prt -n '__prt_in "/demo"' -l edit -d 'Allow keys that write rows, such as > to move a card. prt prints which user writes, and asks first if the project is not on this machine.'
complete -c prt -n '__prt_in "/demo"' -l batch -x -d 'Collect changes for MS milliseconds, and merge those of one row.'
complete -c prt -n '__prt_in "/demo"' -l verify -l no-verify -d 'Compare the received events with the tables over REST, and report as a gap what is missing.'
complete -c prt -n '__prt_in "/demo"' -l record -r -F -d 'Record every event to FILE, which `prt replay FILE` plays.'
complete -c prt -n '__prt_in "/demo"' -l export -x -d 'Save the last screen as a picture in FILE.svg.'
complete -c prt -n '__prt_in "/demo"' -l no-color -d 'Use no colours. [env: NO_COLOR]'
complete -c prt -n '__prt_in "/demo"' -s n -l count -x -d 'Stop after N live events (changes, broadcasts, presence events) and exit with 0.'
complete -c prt -n '__prt_in "/demo"' -l duration -x -d 'Stop after TIME (30s, 5m, 2h) and exit with 0. TIME begins when changes flow (the status READY).'
complete -c prt -n '__prt_in "/demo"' -l idle -x -d 'Stop after TIME (30s, 5m, 2h) without an event and exit with 0.'
complete -c prt -n '__prt_in "/demo"' -l timeout -x -d 'Exit with 124 if the events that you count or expect have not all come within TIME (30s, 5m, 2h). If you neither count nor expect events, the first one must come.'
complete -c prt -n '__prt_in "/demo"' -l agent -d 'Run for a program such as an AI agent: stop after 30s unless another option says when, write lines instead of drawing, use no colours and ask no questions. [env: PRT_AGENT]'
complete -c prt -n '__prt_in "/demo"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/demo"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/init"' -l name -x -d 'Name of the new profile.'
complete -c prt -n '__prt_in "/init"' -s y -l yes -d 'Ask nothing, and take the URL that is found in --url, .env or supabase/config.toml.'
complete -c prt -n '__prt_in "/init"' -l own -d 'Write to your own prt.toml, in the configuration folder of your system, instead of the one in this folder.'
complete -c prt -n '__prt_in "/init"' -l url -x -d 'URL of the project. [env: SUPABASE_URL]'
complete -c prt -n '__prt_in "/init"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/init"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/config"' -l json -d 'Write the settings as one JSON array.'
complete -c prt -n '__prt_in "/config"' -l url -x -d 'URL of the project. [env: SUPABASE_URL]'
complete -c prt -n '__prt_in "/config"' -l as -x -a '(__prt_kind who)' -d 'Who connects: anon, service (with the key in SUPABASE_SECRET_KEY), or the EMAIL of a user, whose password is in PRT_PASSWORD or is asked for. [default: the user of the access token in PRT_TOKEN, else anon]'
complete -c prt -n '__prt_in "/config"' -l profile -x -a '(__prt_kind profile)' -d 'Profile of prt.toml to use. [default: default]'
complete -c prt -n '__prt_in "/config"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/config"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/help"' -l json -d 'Write one JSON document that describes every command and option.'
complete -c prt -n '__prt_in "/help"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/help"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/skill"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/skill"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/schema"' -l markdown -d 'Print a Markdown table instead of JSON.'
complete -c prt -n '__prt_in "/schema"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/schema"' -s h -l help -d 'Show this message and exit.'
complete -c prt -n '__prt_in "/completion"' -a 'bash zsh fish powershell'
complete -c prt -n '__prt_in "/completion"' -l debug -d 'Show a Python traceback if prt fails.'
complete -c prt -n '__prt_in "/completion"' -s h -l help -d 'Show this message and exit.'
