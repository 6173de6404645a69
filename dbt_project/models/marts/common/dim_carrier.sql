select
    carriers.carrier,
    carriers.carrier_name,
    coalesce(profiles.business_model, 'unknown') as business_model,
    profiles.alliance,
    profiles.flies_for
from {{ ref('stg_flight_ops__airlines') }} as carriers
left join {{ ref('carrier_profiles') }} as profiles on carriers.carrier = profiles.carrier
