# PowerShell completion of prt; made by `prt completion powershell`.
# Dot-source it from your $PROFILE.

Register-ArgumentCompleter -Native -CommandName prt -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $known = @{
        'table' = @('core', 'module', 'all', 'organizations', 'workspaces', 'user_roles', 'activities', 'comments', 'user_presence', 'notifications', 'productions', 'project_tasks', 'project_milestones', 'events', 'run_of_show', 'bookings', 'incidents', 'personnel', 'teams', 'time_entries', 'assets', 'asset_transactions', 'locations', 'files', 'companies', 'budgets', 'financial_transactions', 'invoices', 'purchase_orders', 'approval_requests', 'community_posts', 'connections', 'marketplace_orders')
        'event' = @('INSERT', 'UPDATE', 'DELETE')
        'type' = @('change', 'broadcast', 'presence', 'status', 'gap', 'malformed', 'alert', 'conflict', 'audit', 'loss', 'connection', 'channel', 'frame', 'finding', 'end')
        'view' = @('table', 'board', 'budget', 'feed', 'stats', 'details', 'presence', 'cursors')
        'suite' = @('connect', 'channel', 'changes', 'broadcast', 'presence', 'notify', 'rls', 'reconnect', 'token', 'latency', 'load')
        'who' = @('anon', 'service')
        'shell' = @('bash', 'zsh', 'fish', 'powershell')
        'operator' = @('eq.', 'neq.', 'lt.', 'lte.', 'gt.', 'gte.', 'in.', 'like.', 'ilike.', 'is.', 'match.', 'imatch.', 'isdistinct.')
        'table,json,text' = @('table', 'json', 'text')
        'free,pro,no-cap,none' = @('free', 'pro', 'no-cap', 'none')
        'text,json,nagios,prometheus' = @('text', 'json', 'nagios', 'prometheus')
        'export,dotenv,json,github' = @('export', 'dotenv', 'json', 'github')
        'below' = @('watch', 'presence', 'notify', 'test', 'audit', 'status', 'send', 'update', 'replay', 'tap', 'local', 'demo', 'init', 'config', 'help', 'skill', 'schema', 'completion')
        'below/notify' = @('send', 'read')
        'below/local' = @('up', 'run', 'status', 'env', 'token', 'traffic', 'reset', 'stop')
    }
    $asked = @('table', 'column', 'profile')
    $options = @{
        '' = @('-V', '--version', '-h', '--help')
        '/watch' = @('--schema', '--event', '--filter', '--select', '--broadcast', '--presence', '--private', '--include', '--exclude', '--json', '-o', '--output', '--template', '--only', '--highlight', '--view', '--group-by', '--columns', '--wip', '--sort', '--plan', '--details', '--once', '--alert', '--fail-on-alert', '--bell', '--exec', '--metrics', '--canary', '--allow-writes', '--keep', '--edit', '--batch', '--record', '--export', '-q', '--quiet', '--no-color', '-n', '--count', '--duration', '--idle', '--timeout', '--agent', '--expect', '--backfill', '--no-backfill', '--verify', '--no-verify', '--snapshot', '--since', '--cursor', '--key', '--replay', '--reconnect', '--no-reconnect', '--max-reconnects', '--wait-for-server', '--url', '--local', '--as', '--profile', '--debug', '-h', '--help')
        '/presence' = @('--track', '--key', '--private', '--columns', '--once', '--json', '-o', '--output', '--template', '--only', '-q', '--quiet', '--no-color', '--expect-key', '--min', '-n', '--count', '--duration', '--idle', '--timeout', '--agent', '--reconnect', '--no-reconnect', '--max-reconnects', '--wait-for-server', '--url', '--local', '--as', '--profile', '--debug', '-h', '--help')
        '/notify' = @('--user', '--table', '--schema', '--user-column', '--snapshot', '--bell', '--exec', '--include', '--exclude', '--json', '-o', '--output', '--template', '--only', '--highlight', '--record', '-q', '--quiet', '--no-color', '-n', '--count', '--duration', '--idle', '--timeout', '--agent', '--expect', '--backfill', '--no-backfill', '--since', '--cursor', '--key', '--edit', '--reconnect', '--no-reconnect', '--max-reconnects', '--wait-for-server', '--url', '--local', '--as', '--profile', '--debug', '-h', '--help')
        '/notify/send' = @('--title', '--message', '--type', '--set', '--user', '--table', '--schema', '--user-column', '--timeout', '--no-wait', '--json', '-q', '--quiet', '--url', '--local', '--as', '--profile', '--debug', '-h', '--help')
        '/notify/read' = @('--all', '--user', '--table', '--schema', '--user-column', '--json', '-q', '--quiet', '--url', '--local', '--as', '--profile', '--debug', '-h', '--help')
        '/test' = @('--list', '--clean', '--require', '--allow-writes', '--table', '--marker', '--stranger', '--private-topic', '--repeat', '--wait', '--contract', '--write-contract', '--samples', '--clients', '--rate', '--duration', '--limit', '--max-lag', '--min-delivery', '--junit', '--report', '--json', '-o', '--output', '-q', '--quiet', '--no-color', '--url', '--local', '--as', '--profile', '--debug', '-h', '--help')
        '/audit' = @('--schema', '--filter', '--duration', '--late-after', '--min-delivery', '--allow-slot', '--max-wal', '--json', '-q', '--quiet', '--no-color', '--url', '--local', '--as', '--profile', '--debug', '-h', '--help')
        '/status' = @('--schema', '--event', '--filter', '--select', '--private', '--topic', '--strict', '-w', '--watch', '--plan', '--duration', '--agent', '--json', '--format', '--bundle', '--no-color', '--url', '--local', '--as', '--profile', '--debug', '-h', '--help')
        '/send' = @('--private', '--http', '--rate', '--repeat', '--persist', '--ttl', '--timeout', '--json', '-q', '--quiet', '--url', '--local', '--as', '--profile', '--debug', '-h', '--help')
        '/update' = @('--if', '--timeout', '--json', '-o', '--output', '--template', '--only', '--export', '-q', '--quiet', '--no-color', '--url', '--local', '--as', '--profile', '--debug', '-h', '--help')
        '/replay' = @('--speed', '--from', '--to', '--include', '--exclude', '--json', '-o', '--output', '--template', '--only', '--highlight', '--view', '--group-by', '--columns', '--wip', '--sort', '--plan', '--details', '--once', '--alert', '--fail-on-alert', '--keep', '--batch', '--export', '-q', '--quiet', '--no-color', '-n', '--count', '--expect', '--debug', '-h', '--help')
        '/tap' = @('--port', '--view', '--command-log', '--frames', '--json', '-o', '--output', '--only', '--record', '-q', '--quiet', '--no-color', '--duration', '--cut', '--delay', '--half-open', '--refuse', '--expire-token', '--drop-changes', '--fault-at', '--fault-for', '--chaos-seed', '--expect-recovery', '--url', '--local', '--profile', '--debug', '-h', '--help')
        '/local' = @('-h', '--help')
        '/local/up' = @('--port', '--data-dir', '--migrations', '--no-seed', '--traffic', '--rate', '--plan', '--poll', '--like-hosted', '--like-cli', '--signing-key', '--anonymous-sign-ins', '--debug', '-h', '--help')
        '/local/run' = @('--port', '--data-dir', '--migrations', '--no-seed', '--traffic', '--rate', '--plan', '--poll', '--like-hosted', '--like-cli', '--signing-key', '--anonymous-sign-ins', '--debug', '-h', '--help')
        '/local/status' = @('--port', '--data-dir', '--debug', '-h', '--help')
        '/local/env' = @('--format', '--port', '--data-dir', '--debug', '-h', '--help')
        '/local/token' = @('--role', '--sub', '--claim', '--expires', '--port', '--data-dir', '--debug', '-h', '--help')
        '/local/traffic' = @('--rate', '--seed', '--port', '--data-dir', '--debug', '-h', '--help')
        '/local/reset' = @('--port', '--data-dir', '--debug', '-h', '--help')
        '/local/stop' = @('--port', '--data-dir', '--debug', '-h', '--help')
        '/demo' = @('--rate', '--seed', '--json', '-o', '--output', '--template', '--only', '--highlight', '--view', '--keep', '--edit', '--batch', '--verify', '--no-verify', '--record', '--export', '--no-color', '-n', '--count', '--duration', '--idle', '--timeout', '--agent', '--debug', '-h', '--help')
        '/init' = @('--name', '-y', '--yes', '--own', '--url', '--debug', '-h', '--help')
        '/config' = @('--json', '--url', '--as', '--profile', '--debug', '-h', '--help')
        '/help' = @('--json', '--debug', '-h', '--help')
        '/skill' = @('--debug', '-h', '--help')
        '/schema' = @('--markdown', '--debug', '-h', '--help')
        '/completion' = @('--debug', '-h', '--help')
    }
    $arguments = @{
        '' = 'below'
        '/watch' = 'table'
        '/presence' = ''
        '/notify' = 'below/notify'
        '/notify/send' = ''
        '/notify/read' = ''
        '/test' = 'suite'
        '/audit' = 'table'
        '/status' = 'table'
        '/send' = ''
        '/update' = 'table'
        '/replay' = ''
        '/tap' = ''
        '/local' = 'below/local'
        '/local/up' = ''
        '/local/run' = ''
        '/local/status' = ''
        '/local/env' = ''
        '/local/token' = ''
        '/local/traffic' = ''
        '/local/reset' = ''
        '/local/stop' = ''
        '/demo' = ''
        '/init' = ''
        '/config' = ''
        '/help' = ''
        '/skill' = ''
        '/schema' = ''
        '/completion' = 'shell'
    }
    $values = @{
        '' = @{  }
        '/watch' = @{ '--schema' = ''; '--event' = 'event'; '--filter' = 'filter'; '--select' = 'column'; '--broadcast' = ''; '--presence' = ''; '--include' = ''; '--exclude' = ''; '-o' = 'table,json,text'; '--output' = 'table,json,text'; '--template' = ''; '--only' = 'type'; '--highlight' = ''; '--view' = ''; '--group-by' = 'column'; '--columns' = ''; '--wip' = ''; '--sort' = 'column'; '--plan' = ''; '--alert' = ''; '--fail-on-alert' = ''; '--exec' = ''; '--metrics' = ''; '--canary' = ''; '--keep' = ''; '--batch' = ''; '--record' = ''; '--export' = ''; '-n' = ''; '--count' = ''; '--duration' = ''; '--idle' = ''; '--timeout' = ''; '--expect' = ''; '--since' = ''; '--cursor' = 'column'; '--key' = 'column'; '--replay' = ''; '--max-reconnects' = ''; '--url' = ''; '--as' = 'who'; '--profile' = 'profile' }
        '/presence' = @{ '--track' = ''; '--key' = ''; '--columns' = 'column'; '-o' = 'table,json,text'; '--output' = 'table,json,text'; '--template' = ''; '--only' = 'type'; '--expect-key' = ''; '--min' = ''; '-n' = ''; '--count' = ''; '--duration' = ''; '--idle' = ''; '--timeout' = ''; '--max-reconnects' = ''; '--url' = ''; '--as' = 'who'; '--profile' = 'profile' }
        '/notify' = @{ '--user' = ''; '--table' = 'table'; '--schema' = ''; '--user-column' = 'column'; '--exec' = ''; '--include' = ''; '--exclude' = ''; '-o' = 'table,json,text'; '--output' = 'table,json,text'; '--template' = ''; '--only' = 'type'; '--highlight' = ''; '--record' = ''; '-n' = ''; '--count' = ''; '--duration' = ''; '--idle' = ''; '--timeout' = ''; '--expect' = ''; '--since' = ''; '--cursor' = 'column'; '--key' = 'column'; '--max-reconnects' = ''; '--url' = ''; '--as' = 'who'; '--profile' = 'profile' }
        '/notify/send' = @{ '--title' = ''; '--message' = ''; '--type' = ''; '--set' = ''; '--user' = ''; '--table' = 'table'; '--schema' = ''; '--user-column' = 'column'; '--timeout' = ''; '--url' = ''; '--as' = 'who'; '--profile' = 'profile' }
        '/notify/read' = @{ '--user' = ''; '--table' = 'table'; '--schema' = ''; '--user-column' = 'column'; '--url' = ''; '--as' = 'who'; '--profile' = 'profile' }
        '/test' = @{ '--require' = 'suite'; '--table' = ''; '--marker' = 'column'; '--stranger' = ''; '--private-topic' = ''; '--repeat' = ''; '--wait' = ''; '--contract' = ''; '--write-contract' = ''; '--samples' = ''; '--clients' = ''; '--rate' = ''; '--duration' = ''; '--limit' = 'free,pro,no-cap,none'; '--max-lag' = ''; '--min-delivery' = ''; '--junit' = ''; '--report' = ''; '-o' = 'table,json,text'; '--output' = 'table,json,text'; '--url' = ''; '--as' = 'who'; '--profile' = 'profile' }
        '/audit' = @{ '--schema' = ''; '--filter' = 'filter'; '--duration' = ''; '--late-after' = ''; '--min-delivery' = ''; '--max-wal' = ''; '--url' = ''; '--as' = 'who'; '--profile' = 'profile' }
        '/status' = @{ '--schema' = ''; '--event' = 'event'; '--filter' = 'filter'; '--select' = 'column'; '--topic' = ''; '--plan' = ''; '--duration' = ''; '--format' = 'text,json,nagios,prometheus'; '--bundle' = ''; '--url' = ''; '--as' = 'who'; '--profile' = 'profile' }
        '/send' = @{ '--rate' = ''; '--repeat' = ''; '--ttl' = ''; '--timeout' = ''; '--url' = ''; '--as' = 'who'; '--profile' = 'profile' }
        '/update' = @{ '--if' = ''; '--timeout' = ''; '-o' = 'table,json,text'; '--output' = 'table,json,text'; '--template' = ''; '--only' = 'type'; '--export' = ''; '--url' = ''; '--as' = 'who'; '--profile' = 'profile' }
        '/replay' = @{ '--speed' = ''; '--from' = ''; '--to' = ''; '--include' = ''; '--exclude' = ''; '-o' = 'table,json,text'; '--output' = 'table,json,text'; '--template' = ''; '--only' = 'type'; '--highlight' = ''; '--view' = ''; '--group-by' = 'column'; '--columns' = ''; '--wip' = ''; '--sort' = 'column'; '--plan' = ''; '--alert' = ''; '--fail-on-alert' = ''; '--keep' = ''; '--batch' = ''; '--export' = ''; '-n' = ''; '--count' = ''; '--expect' = '' }
        '/tap' = @{ '--port' = ''; '--command-log' = ''; '-o' = 'table,json,text'; '--output' = 'table,json,text'; '--only' = 'type'; '--record' = ''; '--duration' = ''; '--cut' = ''; '--delay' = ''; '--refuse' = ''; '--drop-changes' = ''; '--fault-at' = ''; '--fault-for' = ''; '--chaos-seed' = ''; '--expect-recovery' = ''; '--url' = ''; '--profile' = 'profile' }
        '/local' = @{  }
        '/local/up' = @{ '--port' = ''; '--data-dir' = ''; '--migrations' = ''; '--rate' = ''; '--plan' = ''; '--poll' = ''; '--signing-key' = '' }
        '/local/run' = @{ '--port' = ''; '--data-dir' = ''; '--migrations' = ''; '--rate' = ''; '--plan' = ''; '--poll' = ''; '--signing-key' = '' }
        '/local/status' = @{ '--port' = ''; '--data-dir' = '' }
        '/local/env' = @{ '--format' = 'export,dotenv,json,github'; '--port' = ''; '--data-dir' = '' }
        '/local/token' = @{ '--role' = ''; '--sub' = ''; '--claim' = ''; '--expires' = ''; '--port' = ''; '--data-dir' = '' }
        '/local/traffic' = @{ '--rate' = ''; '--seed' = ''; '--port' = ''; '--data-dir' = '' }
        '/local/reset' = @{ '--port' = ''; '--data-dir' = '' }
        '/local/stop' = @{ '--port' = ''; '--data-dir' = '' }
        '/demo' = @{ '--rate' = ''; '--seed' = ''; '-o' = 'table,json,text'; '--output' = 'table,json,text'; '--template' = ''; '--only' = 'type'; '--highlight' = ''; '--view' = ''; '--keep' = ''; '--batch' = ''; '--record' = ''; '--export' = ''; '-n' = ''; '--count' = ''; '--duration' = ''; '--idle' = ''; '--timeout' = '' }
        '/init' = @{ '--name' = ''; '--url' = '' }
        '/config' = @{ '--url' = ''; '--as' = 'who'; '--profile' = 'profile' }
        '/help' = @{  }
        '/skill' = @{  }
        '/schema' = @{  }
        '/completion' = @{  }
    }
    $cur = "$wordToComplete"
    $path = ''
    $prev = ''
    foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
        if ($element.Extent.EndOffset -ge $cursorPosition -and $cur) { break }
        $prev = $element.Extent.Text
        if ($options.ContainsKey("$path/$prev")) { $path = "$path/$prev" }
    }
    $kind = $arguments[$path]
    if ($prev.StartsWith('-') -and $values[$path].ContainsKey($prev)) { $kind = $values[$path][$prev] }
    elseif ($cur.StartsWith('-')) { $kind = 'option' }
    if ($kind -eq 'filter') { $kind = if ($cur.Contains('=')) { 'operator' } else { 'column' } }
    if ($kind -eq 'table' -and $cur.Contains(':')) { $kind = 'event' }
    if (-not $kind) { return }
    $at = $cur.LastIndexOfAny([char[]]',:=') + 1
    $head = $cur.Substring(0, $at)
    $tail = $cur.Substring($at)
    $words = if ($kind -eq 'option') { $options[$path] } else { $known[$kind] }
    if ($asked -contains $kind) {
        # What is offered is inserted as it is, so a name is offered only if it is a plain word.
        $words = @($words) + @(prt __complete $kind | Where-Object { $_ -match '^[A-Za-z0-9_.-]+\z' })
    }
    $words | Where-Object { $_ -and $_.StartsWith($tail) } | Sort-Object -Unique | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new("$head$_", $_, 'ParameterValue', $_)
    }
}
