{#- At least `min_share` of the rows that have a value have one that `field` of `to` knows: the rule for
    a reference that the source does not honour. One row tells the share where it is too small. -#}

{% test mostly_related(model, column_name, to, field, min_share) %}
    with known as (
        select distinct {{ field }} as known_value from {{ to }}
    ),

    shares as (
        select count(known.known_value) / nullif(count(*), 0) as known_share
        from {{ model }} as referring
        left join known on referring.{{ column_name }} = known.known_value
        where referring.{{ column_name }} is not null
    )

    select known_share
    from shares
    where known_share < {{ min_share }}
{% endtest %}
