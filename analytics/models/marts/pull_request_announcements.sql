-- When Devin first wrote the link of a pull request into a session that names it. A link ends where its number does.
select requests.session_id, requests.pr_url, min(messages.created_at) as announced_at
from (select distinct session_id, pr_url from {{ ref('pull_request_sightings') }}) as requests
inner join {{ ref('stg_devin__messages') }} as messages
  on messages.session_id = requests.session_id
  and messages.source = 'devin'
  and strpos(messages.message, requests.pr_url) > 0
where substr(messages.message, strpos(messages.message, requests.pr_url) + length(requests.pr_url), 1)
  not in ('0', '1', '2', '3', '4', '5', '6', '7', '8', '9')
group by requests.session_id, requests.pr_url
